import { readJson } from "../../adapters/state/json.ts";
import type { Verification } from "../../core/backup/documents.ts";
import { latestVerificationKey, statusKey } from "../../core/backup/layout.ts";
import { levelMeanings, levelsOf } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Operation } from "../engine/runbook.ts";
import { askedService } from "../steps/asked-service.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const verb = "verify-backup";
const findingsMax = 10;

const verification = askedService<Verification>({
  verb,
  what: "start the verification on the operations host; one that is at its work does this one next",
  undo: "nothing to undo: it only looks, and empties the scratch server",
  fieldsOf: ({ inputs }) => ({
    ...(inputs["backup-id"] === "latest" ? {} : { backupId: inputs["backup-id"] }),
    levels: levelsOf(inputs.levels ?? "") ?? [],
  }),
  answerTo: async ({ store }, request) => {
    const found = (await readJson<Verification>(store, latestVerificationKey))?.value;
    return found?.request === request ? found : undefined;
  },
  isGood: (found) => found.verdict === "PROVEN",
});

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
    const found = await verification.await(context);
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
  steps: [operationsHostReady, verification.ask, verification.start, verdict, operationsHostAsBefore],
  next: "nothing: a verification that is PROVEN stands beside its backup (roundtrip backups describe)",
};
