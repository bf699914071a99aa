/** What is told of a failback's change of phase. */
import type { CurrentFailback } from "../failback/documents.ts";
import { legalNext, type Phase } from "../failback/phase.ts";
import { runbookPage } from "./runbook-page.ts";
import { link, type SlackMessage, slackMessage, words } from "./slack-message.ts";

export interface PhaseChange {
  readonly from: Phase;
  readonly to: Phase;
  /** ISO 8601, as the phase's document has it: which change it is. */
  readonly at: string;
  readonly by: string;
  /** Empty for a change of an earlier failback, whose id the document no longer has. */
  readonly failbackId: string;
}

/** Every change in the document's history, oldest first. */
export function phaseChanges({ history, failbackId }: CurrentFailback): PhaseChange[] {
  const opened = history.findLastIndex(
    ({ phase }, index) => phaseBefore(history, index) === "normal" && phase !== "normal",
  );
  return history.map(({ phase, at, by }, index) => ({
    from: phaseBefore(history, index),
    to: phase,
    at,
    by,
    failbackId: index >= opened ? failbackId : "",
  }));
}

function phaseBefore(history: CurrentFailback["history"], index: number): Phase {
  return history[index - 1]?.phase ?? "normal";
}

/** What it means to enter a phase, in a sentence or two, and what to run next where that is not what the phase says. */
interface Meaning {
  readonly headline: string;
  readonly meaning: string;
  readonly next?: string;
}

/** While restore is at work. What it says in the end is the job's summary, and another change of phase when it is PROVEN. */
const goesOn =
  "nothing while failback-restore is at work; if it stopped, run it again (it goes on), or failback-reopen if it can't go on";

const meanings: Readonly<Record<Phase, Meaning>> = {
  capturing: {
    headline: "failback opened",
    meaning:
      "MongoDB is given up for now: DMS stands still, and each write on DocumentDB will go to S3. Applications may write there once failback-start has ended, not before.",
    next: "failback-restore (when MongoDB is back), or failback-abort (when nothing was written); until then, nothing",
  },
  draining: {
    headline: "nobody may write from now on",
    meaning:
      "MongoDB is back, closed to writers. The applications lose their writes on DocumentDB now, and get them back on MongoDB by failback-clean.",
    next: goesOn,
  },
  restoring: {
    headline: "replaying the log",
    meaning:
      "Every write made on DocumentDB is in the log, and the log is being replayed into MongoDB; then both are compared, byte for byte. Nobody can write.",
    next: goesOn,
  },
  verified: {
    headline: "PROVEN",
    meaning:
      "MongoDB holds what DocumentDB holds. Nobody can write until failback-clean opens MongoDB: the applications are waiting for it.",
  },
  cleaned: {
    headline: "MongoDB is open again",
    meaning:
      "Applications may write to MongoDB; on DocumentDB they only read. Replication still stands: until failback-resume has ended, DocumentDB falls behind.",
  },
  normal: {
    headline: "failback over",
    meaning: "Applications write to MongoDB, and DMS replicates it to DocumentDB as before.",
    next: "nothing; failback-start when MongoDB fails again",
  },
};

const reopened: Meaning = {
  headline: "restore called off, back to capturing",
  meaning:
    "Capture runs, proved by a canary. Applications get their writes on DocumentDB back as failback-reopen ends; MongoDB stays closed.",
};

/** Where a phase means something else behind one phase than behind another. */
const meaningsAfter: Partial<Readonly<Record<Phase, Partial<Readonly<Record<Phase, Meaning>>>>>> = {
  capturing: { draining: reopened, restoring: reopened },
  normal: {
    capturing: {
      headline: "failback aborted",
      meaning:
        "Nothing had been written on DocumentDB, and nobody can write there any more. DMS still stands: until its tasks run again, DocumentDB falls behind.",
      next: "tasks-resume (once MongoDB is well)",
    },
  },
};

/** Where it happened, and where runbooks are started: the repository's address, such as https://github.com/acme/data. */
export interface NoticeContext {
  readonly environment: string;
  readonly repository?: string;
}

/** For somebody who was just woken: what happened, what it means, what to run next, who did it and when. */
export function phaseNotice(change: PhaseChange, { environment, repository }: NoticeContext): SlackMessage {
  const { from, to, at, by, failbackId } = change;
  const { headline, meaning, next } = meaningsAfter[to]?.[from] ?? meanings[to];
  return slackMessage({
    headline: `${environment}: ${headline} (${from} → ${to})`,
    paragraphs: [withLinks(meaning, repository), `*Next:* ${withLinks(next ?? legalNext(to), repository)}`],
    facts: [
      failbackId === "" ? "an earlier failback, told late" : `failback ${words(failbackId)}`,
      `by ${words(by)}`,
      words(at),
    ],
  });
}

/** Names of runbooks as links to where they are started. */
function withLinks(text: string, repository: string | undefined): string {
  return words(text, 500).replace(/\b(?:failback|tasks)-[a-z]+\b/g, (name) =>
    link(runbookPage(repository, name), name),
  );
}
