/** What is told, by what happened: each gives its notices, oldest first, each with the key it is recorded under. */
import { readJson } from "../../adapters/state/json.ts";
import type { Verification } from "../../core/backup/documents.ts";
import { latestVerificationKey } from "../../core/backup/layout.ts";
import type { CurrentFailback } from "../../core/failback/documents.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { alarmNotice, readAlarm } from "../../core/notices/alarm-notice.ts";
import {
  alarmNoticeKey,
  messageNoticeKey,
  phaseNoticeKey,
  verificationNoticeKey,
} from "../../core/notices/layout.ts";
import { messageNotice } from "../../core/notices/message-notice.ts";
import { type NoticeContext, phaseChanges, phaseNotice } from "../../core/notices/phase-notice.ts";
import type { SlackMessage } from "../../core/notices/slack-message.ts";
import { isTold as isVerificationTold, verificationNotice } from "../../core/notices/verification-notice.ts";
import type { ObjectStore } from "../../core/ports.ts";

/** Something to be told once. */
export interface DueNotice {
  readonly key: string;
  readonly message: SlackMessage;
}

export interface NoticeSource {
  readonly context: NoticeContext;
  readonly store: ObjectStore;
  isTold(key: string): Promise<boolean>;
}

type NoticesOf = (source: NoticeSource) => Promise<DueNotice[]>;

/** Which object's change is told, and how. Terraform has S3 say when one is written: `objects` in terraform/stack/main.notify.tf. */
export const toldObjects: Readonly<Record<string, NoticesOf>> = {
  [currentKey]: phaseNotices,
  [latestVerificationKey]: verificationNotices,
};

/** More changes than a failback has; one that was told ends the search. */
const changesMax = 50;

/**
 * Every change of phase behind the newest one that was told: an event that was lost is made up for by the next. Where none was
 * ever told, those of the failback the document names: a channel that is new doesn't hear the past.
 */
async function phaseNotices({ context, store, isTold }: NoticeSource): Promise<DueNotice[]> {
  const found = await readJson<CurrentFailback>(store, currentKey);
  if (!found) return [];
  const changes = phaseChanges(found.value).slice(-changesMax);
  const newestTold = await lastIndexOf(changes, (change) => isTold(phaseNoticeKey(change)));
  const due = changes.filter(({ failbackId }, index) =>
    newestTold < 0 ? failbackId !== "" : index > newestTold,
  );
  return due.map((change) => ({ key: phaseNoticeKey(change), message: phaseNotice(change, context) }));
}

/** A failed verification of a backup, and the first one behind it that is proven. */
async function verificationNotices({ context, store }: NoticeSource): Promise<DueNotice[]> {
  const found = (await readJson<Verification>(store, latestVerificationKey))?.value;
  if (!found || !isVerificationTold(found)) return [];
  return [{ key: verificationNoticeKey(found), message: verificationNotice(found, context) }];
}

async function lastIndexOf<Item>(
  items: readonly Item[],
  holds: (item: Item) => Promise<boolean>,
): Promise<number> {
  for (let index = items.length - 1; index >= 0; index--) if (await holds(items[index]!)) return index;
  return -1;
}

/** Of a message on the alarms' topic: an alarm by the time its state changed, anything else by its own id. */
export function messageNotices(id: string, text: string, context: NoticeContext): DueNotice[] {
  const alarm = readAlarm(text);
  if (alarm) return [{ key: alarmNoticeKey(alarm), message: alarmNotice(alarm, context) }];
  return [{ key: messageNoticeKey(id), message: messageNotice(text, context) }];
}

/**
 * Whether it says that this function failed: Lambda's record of it, or the alarm on its errors. Telling it would go the way that
 * has just failed, and for as long as Slack is down each failure would ring the next alarm.
 */
export function isOwnFailure(text: string, functionName: string): boolean {
  const arn = /"functionArn"\s*:\s*"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:([\w-]+)/.exec(text)?.[1];
  if (arn === functionName && text.includes('"requestPayload"')) return true;
  return readAlarm(text)?.name === ownAlarm(functionName);
}

/** As terraform/modules/notify names it. */
function ownAlarm(functionName: string): string {
  return `${functionName}-errors`;
}
