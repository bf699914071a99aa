import { readJson, writeJson } from "../../adapters/state/json.ts";
import { requestKey, statusKey } from "../../core/backup/layout.ts";
import {
  type RestoreOutcome,
  type RestoreRequest,
  restoreKeys,
  restoreVerb,
} from "../../core/backup/restores.ts";
import { words } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
import type { OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { startAndFollow, unit } from "./host-work.ts";
import { isConfirmed } from "./request.ts";

/** A runner has 6 hours; a laptop may run this again as long as the host works. */
const watchSeconds = 5.5 * 3600;

export const restore: OperationStep = {
  name: "restore",
  what: "with the preview's digest: check backup and log whole, then restore; without it nothing is changed",
  undo: "restore an earlier backup, or another time",
  every: true,
  plan: (context) => [
    { call: "S3 PutObject (once confirmed)", target: requestKey(restoreVerb) },
    context.plannedAction("start-backup-service", { unit }),
    { call: "S3 GetObject", target: statusKey(restoreVerb) },
    { call: "S3 GetObject", target: restoreKeys("‹restore›").outcome },
  ],
  run: async (context) => {
    const { digest, request } = (context.data("preview") ?? {}) as {
      digest: string;
      request: RestoreRequest;
    };
    const { confirm = "-" } = context.inputs;
    if (!isConfirmed(context)) {
      const next = `to restore what was previewed: run restore-backup again with the same inputs and confirm=${digest}`;
      return { note: "nothing was changed", headline: "PREVIEW ONLY, nothing was changed", next };
    }
    if (confirm !== digest) throw otherPreview(confirm, digest);
    const before = await outcomeOf(context);
    if (!before) await writeJson(context.store, requestKey(restoreVerb), { ...request, confirmed: confirm });
    const outcome = before ?? (await startAndFollow(context, watchSeconds, () => outcomeOf(context)));
    if (outcome.differences.length > 0) throw differs(outcome);
    return {
      checks: outcomeChecks(outcome),
      data: { seconds: outcome.seconds },
      next: nextAfter(outcome),
      note: outcomeInWords(outcome),
    };
  },
};

async function outcomeOf({ store, operationId }: OperationContext): Promise<RestoreOutcome | undefined> {
  return (await readJson<RestoreOutcome>(store, restoreKeys(operationId).outcome))?.value;
}

function outcomeInWords({
  target,
  backupId,
  point,
  applied,
  through,
  seconds,
  collections,
}: RestoreOutcome): string {
  const documents = collections.reduce((sum, one) => sum + one.documents, 0);
  const to = point
    ? `${point.words} (last operation ${words(through)}, ${applied} applied)`
    : `backup ${backupId}`;
  return `restored ${target.hosts} to ${to}: ${counted(documents, "document")} in ${counted(collections.length, "collection")}, ${seconds} s`;
}

function outcomeChecks({ compared, point }: RestoreOutcome): Check[] {
  const expected = "the documents of the backup in each collection that nobody wrote to while it was dumped";
  if (point) return [];
  return [
    { name: "counts", ok: true, expected, got: `${counted(compared, "collection")} compared, all equal` },
  ];
}

function nextAfter({ target }: RestoreOutcome): string {
  return target.kind === "in-place"
    ? "look at the data, start the applications, reload the DMS tasks, and run backup"
    : `look at the data in ${target.hosts}; empty that server when it is done with`;
}

function otherPreview(confirm: string, digest: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "restore what was previewed",
    expected: `digest ${confirm}, as it was confirmed`,
    got: `digest ${digest}: target, backup or inputs are not what they were`,
    wayOut: `nothing was changed: read this run's preview, then run it again with confirm=${digest}`,
  });
}

function differs({ differences, backupId }: RestoreOutcome): RoundtripError {
  return new RoundtripError({
    kind: "differs",
    what: `hold what was restored against backup ${backupId}`,
    expected: "the documents of the backup in each collection",
    got: differences.slice(0, 5).join("; "),
    wayOut: "see whether somebody writes to that server; stop it, then preview and restore again",
  });
}
