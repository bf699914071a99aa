import { readJson } from "../../adapters/state/json.ts";
import {
  type DrTestResult,
  drTestDatabase,
  drTestDocuments,
  drTestsPrefix,
  objectiveWords,
  passed,
  shortfall,
} from "../../core/backup/dr-test.ts";
import { statusKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { dmsPattern } from "../../core/tasks/dms-pattern.ts";
import type { Operation } from "../engine/runbook.ts";
import { askedService } from "../steps/asked-service.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const verb = "dr-test";
/** A year of months. */
const shownMax = 12;

const drTest = askedService<DrTestResult>({
  verb,
  what: "start the test on the operations host",
  undo: `nothing to undo: the test drops its own database ${drTestDatabase}`,
  fieldsOf: ({ inputs }) => ({ documents: Number(inputs.documents) }),
  answerTo: async ({ store }, request) => (await newestResults(store)).find((one) => one.request === request),
  isGood: passed,
});

/** The last tests, the newest first. */
async function newestResults(store: ObjectStore): Promise<DrTestResult[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(drTestsPrefix)) if (/\dZ\.json$/.test(key)) keys.push(key);
  const read = keys.slice(-shownMax).map(async (key) => (await readJson<DrTestResult>(store, key))?.value);
  return (await Promise.all(read)).flatMap((found) => found ?? []).reverse();
}

/** No DMS task may carry the test's data to DocumentDB. tasks.yaml can't name the database; what runs might all the same. */
const checkTasks: OperationStep = {
  name: "check-tasks",
  what: `see that no task of tasks.yaml selects database ${drTestDatabase}`,
  undo: "nothing was changed",
  every: true,
  plan: () => [],
  run: async ({ declared }) => {
    const selecting = declared.tasks
      .filter(({ database }) => dmsPattern(database).matches(drTestDatabase))
      .map(({ id }) => id);
    if (selecting.length > 0) throw selected(selecting);
    return { note: `none of ${declared.tasks.length}` };
  },
};

const verdict: OperationStep = {
  name: "verdict",
  what: "follow the test until its result is in the bucket, and set it beside those of the last year",
  undo: "nothing was changed",
  every: true,
  plan: () => [
    { call: "S3 GetObject", target: statusKey(verb) },
    { call: "S3 ListObjectsV2", target: drTestsPrefix },
  ],
  run: async (context) => {
    const result = await drTest.await(context);
    const trend = await newestResults(context.store);
    for (const one of trend)
      context.say(`  ${one.startedAt.slice(0, 16)}  ${one.verdict}  ${objectiveWords(one.objectives)}`);
    if (!passed(result)) throw notPassed(result);
    const { objectives, documents, findings } = result;
    return {
      checks: trend.map(checkOf),
      data: { verdict: result.verdict, objectives, id: result.id },
      note: `${documents} documents back; ${objectiveWords(objectives)}; ${findings.join("; ")}`,
    };
  },
};

/** One test of the last ones, as a row of the summary. */
function checkOf(result: DrTestResult): Check {
  return {
    name: `test of ${result.startedAt.slice(0, 16).replace("T", " ")} UTC`,
    ok: passed(result),
    expected: "every document back, objectives met",
    got: `${result.verdict}, ${objectiveWords(result.objectives)}`,
    wayOut: "see its findings in the bucket",
  };
}

function notPassed(result: DrTestResult): RoundtripError {
  return new RoundtripError({
    kind: result.verdict === "UNKNOWN" ? "unknown" : "differs",
    what: `test the way back (${result.id})`,
    expected: "every document back, and RTO and RPO met",
    got: shortfall(result),
    wayOut: "see roundtrip logs dr-test and docs/backups.md; run it again once the cause is mended",
  });
}

function selected(tasks: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `write the test's data to database ${drTestDatabase} of MongoDB`,
    expected: "no DMS task that selects it: its data would come and go on DocumentDB, too",
    got: `selected by ${tasks.join(", ")}`,
    wayOut: "name the databases that these tasks mean in tasks.yaml, apply, and run this again",
  });
}

export const drTestRunbook: Operation = {
  kind: "operation",
  name: "dr-test",
  summary:
    "Lose data of Roundtrip's own on MongoDB, bring it back from its backup, and measure how long and how much.",
  inputs: [
    {
      name: "documents",
      description: "how many documents the test writes",
      pattern: /^[1-9]\d{1,6}$/,
      default: String(drTestDocuments),
    },
  ],
  steps: [operationsHostReady, checkTasks, drTest.ask, drTest.start, verdict, operationsHostAsBefore],
  next: "nothing: the result is kept in the bucket, and the next test comes by itself at the first of the month",
};
