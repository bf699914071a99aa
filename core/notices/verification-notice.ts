/** What is told of the verification of a backup: that it failed, and that it is proven again. Not each success. */
import type { LevelVerdict, Verification } from "../backup/documents.ts";
import { reasonsOf } from "../backup/verification.ts";
import type { NoticeContext } from "./phase-notice.ts";
import { runbookPage } from "./runbook-page.ts";
import { link, type SlackMessage, slackMessage, words } from "./slack-message.ts";

const meanings: Readonly<Record<LevelVerdict, { readonly headline: string; readonly meaning: string }>> = {
  DIFFERS: {
    headline: "a backup is not what was dumped",
    meaning: "Don't restore from it. The backups before it stand as they are.",
  },
  UNKNOWN: {
    headline: "a backup could not be verified",
    meaning: "Nobody knows whether it can be restored. The backup itself may be whole.",
  },
  PROVEN: {
    headline: "backups are proven again",
    meaning: "The newest verification found everything as it was dumped.",
  },
};

/** Whether people are told: each verification that isn't PROVEN, and the first one that is again. */
export function isTold({ verdict, before }: Pick<Verification, "verdict" | "before">): boolean {
  return verdict !== "PROVEN" || (before !== undefined && before !== "PROVEN");
}

/** For somebody on call: what is wrong with which backup, what it means, what to run next. */
export function verificationNotice(
  verification: Verification,
  { environment, repository }: NoticeContext,
): SlackMessage {
  const { verdict, backupId, finishedAt } = verification;
  const { headline, meaning } = meanings[verdict];
  const page = (name: string) => link(runbookPage(repository, name), name);
  const next =
    verdict === "DIFFERS"
      ? `${page("backup")} takes a new one, ${page("verify-backup")} proves it`
      : `mend what is named, then ${page("verify-backup")}`;
  return slackMessage({
    headline: `${environment}: ${headline} (${verdict})`,
    paragraphs: [
      words(meaning, 500),
      ...(verdict === "PROVEN" ? [] : [words(reasonsOf(verification), 600), `*Next:* ${next}`]),
    ],
    facts: [`backup ${words(backupId)}`, words(finishedAt)],
  });
}
