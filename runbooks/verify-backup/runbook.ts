import { randomBytes } from "node:crypto";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { Verification } from "../../core/backup/documents.ts";
import { latestVerificationKey, requestKey, statusKey } from "../../core/backup/layout.ts";
import { levelMeanings, levelsOf, type VerificationRequest } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { followAt } from "../steps/await-service.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const verb = "verify-backup";
const unit = `${verb}.service`;
/** A runner has 6 hours; a laptop may run this again as long as the host works. */
const watchSeconds = 5.5 * 3600;
const findingsMax = 10;

/** The verification that this run asked for, once there is one. */
async function askedFor(context: OperationContext): Promise<Verification | undefined> {
  const request = context.data("ask")?.request;
  const found = (await readJson<Verification>(context.store, latestVerificationKey))?.value;
  return found && found.request === request ? found : undefined;
}

const ask: OperationStep = {
  name: "ask",
  what: "leave in the bucket what is to be verified: the host takes no words from anybody",
  undo: "nothing to undo: it only looks",
  every: true,
  plan: () => [{ call: "S3 PutObject", target: requestKey(verb) }],
  run: async (context) => {
    const { store, inputs, operationId } = context;
    const before = context.data("ask");
    const pending = (await readJson<VerificationRequest>(store, requestKey(verb)))?.value;
    if (before && pending?.request === before.request) return { data: before, note: "asked before" };
    // One that was proven while the runner was lost is not done again; any other is what is to be looked at anew.
    if (before && (await askedFor(context))?.verdict === "PROVEN") {
      return { data: before, note: "verified before" };
    }
    const id = inputs["backup-id"] ?? "latest";
    const request: VerificationRequest = {
      version: 1,
      request: `${operationId}-${randomBytes(2).toString("hex")}`,
      ...(id === "latest" ? {} : { backupId: id }),
      levels: levelsOf(inputs.levels ?? "") ?? [],
    };
    await writeJson(store, requestKey(verb), request);
    return { data: { request: request.request }, note: `backup ${id}, levels ${request.levels.join(", ")}` };
  },
};

const start: OperationStep = {
  name: "start-verification",
  what: "start the verification on the operations host; one that is at its work does this one next",
  undo: "nothing to undo: it only looks, and empties the scratch server",
  every: true,
  plan: (context) => [context.plannedAction("start-backup-service", { unit })],
  run: async (context) => {
    const before = context.data("start-verification");
    if (before && (await askedFor(context))) return { data: before, note: "done before" };
    const { checks, data } = await context.action("start-backup-service", { unit });
    return { checks, data, note: `run ${String(data.run)}, begun ${String(data.startedAt)}` };
  },
};

const verdict: OperationStep = {
  name: "verdict",
  what: "follow the verification until its verdict is in the bucket",
  undo: "nothing was changed",
  every: true,
  plan: () => [
    { call: "S3 GetObject", target: statusKey(verb) },
    { call: "S3 GetObject", target: latestVerificationKey },
  ],
  run: async (context) => {
    const since = String(context.data("start-verification")?.startedAt);
    const followed = { services: [verb], keyOf: statusKey, since, timeoutSeconds: watchSeconds };
    const found = await followAt(context, followed, () => askedFor(context));
    for (const { level, verdict: own, findings } of found.levels) {
      context.say(`  level ${level} ${own}`);
      for (const finding of findings.slice(0, findingsMax)) context.say(`    ${finding}`);
    }
    throwUnlessProven(found);
    return {
      checks: found.levels.map(({ level, findings }) => ({
        name: `level ${level}`,
        ok: true,
        expected: levelMeanings[level],
        got: findings.join("; "),
      })),
      data: { verdict: found.verdict, backupId: found.backupId },
      note: `${found.verdict}: backup ${found.backupId}`,
    };
  },
};

function throwUnlessProven({ backupId, verdict: found, levels }: Verification): void {
  if (found === "PROVEN") return;
  const reasons = levels
    .filter((one) => one.verdict !== "PROVEN")
    .flatMap(({ level, verdict: own, findings }) => findings.map((line) => `level ${level} ${own}: ${line}`));
  const more = reasons.length > findingsMax ? `; and ${reasons.length - findingsMax} more` : "";
  throw new RoundtripError({
    kind: found === "DIFFERS" ? "differs" : "unknown",
    what: `verify backup ${backupId}`,
    expected: "verdict PROVEN",
    got: `${found}: ${reasons.slice(0, findingsMax).join("; ")}${more}`,
    wayOut:
      found === "DIFFERS"
        ? "don't restore from this backup: take a new one with runbook backup, and verify that"
        : "mend what is named and run this again: until then nobody knows whether it can be restored",
  });
}

export const verifyBackup: Operation = {
  kind: "operation",
  name: "verify-backup",
  summary:
    "Prove that a backup of MongoDB can be restored: its hash, its content, and a restore that is compared.",
  inputs: [
    {
      name: "backup-id",
      description: "latest, or the id that roundtrip backups list shows",
      pattern: /^(latest|\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z)$/,
      default: "latest",
    },
    {
      name: "levels",
      description: "1 hashes, 2 content, 3 restore into the scratch server; with commas between",
      pattern: /^[123](,[123]){0,2}$/,
      default: "1,2,3",
    },
  ],
  steps: [operationsHostReady, ask, start, verdict, operationsHostAsBefore],
  next: "nothing: a verification that is PROVEN stands beside its backup (roundtrip backups show)",
};
