/** Where in the bucket it is recorded that something was told. */

import type { Verification } from "../backup/documents.ts";
import type { AlarmChange } from "./alarm-notice.ts";
import type { PhaseChange } from "./phase-notice.ts";

const noticesPrefix = "notices/";

/** One change of phase, in order of time. */
export function phaseNoticeKey({ at, to }: Pick<PhaseChange, "at" | "to">): string {
  return `${noticesPrefix}phase/${plain(at)}-${to}.json`;
}

/** One change of one alarm; the bucket's lifecycle removes these. */
export function alarmNoticeKey({ at, name, state }: Pick<AlarmChange, "at" | "name" | "state">): string {
  return `${noticesPrefix}alarms/${plain(at)}-${encodeURIComponent(name)}-${plain(state)}.json`;
}

/** One verification of a backup; the lifecycle removes these, too. */
export function verificationNoticeKey({ backupId, finishedAt }: Verification): string {
  return `${noticesPrefix}alarms/verification-${plain(backupId)}-${plain(finishedAt)}.json`;
}

/** Another message on the alarms' topic, by the id SNS gave it. */
export function messageNoticeKey(id: string): string {
  return `${noticesPrefix}alarms/${plain(id)}.json`;
}

function plain(text: string): string {
  return text.replace(/[^\w+-]/g, "-");
}
