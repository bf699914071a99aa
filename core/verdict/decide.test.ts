import { expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import schema from "../../schemas/verdict.schema.json" with { type: "json" };
import { decide, type Evidence } from "./decide.ts";
import { renderVerdict } from "./render.ts";
import { soundEvidence } from "./testing.ts";

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
addFormats(ajv);
const validate = ajv.compile(schema);

function decided(change: Partial<Evidence>) {
  const verdict = decide({ ...soundEvidence, ...change });
  expect(validate(verdict), JSON.stringify(validate.errors)).toBe(true);
  return verdict;
}

test("failback 23: PROVEN when the log is covered, nothing differs and nobody else wrote", () => {
  expect(decided({})).toMatchObject({ verdict: "PROVEN", reasons: [] });
  const explained = { ...soundEvidence.collections[0]!, tail: 2, conflicts: 1 };
  expect(decided({ collections: [explained], tail: 2, conflicts: 1 }).verdict).toBe("PROVEN");
  expect(decided({ catalog: [{ what: "shop.orders index x", accepted: true }] }).verdict).toBe("PROVEN");
});

const quiet = soundEvidence.after;
const coverage = soundEvidence.coverage;
const [orders] = soundEvidence.collections;

const unknown: Record<string, [Partial<Evidence>, string]> = {
  "a hole in the manifests": [
    { coverage: { ...coverage, problems: ["manifest 2 is missing"] } },
    "manifest 2",
  ],
  "a log that begins late": [{ coverage: { ...coverage, firstSequence: 4 } }, "event 4"],
  "a log not applied to its end": [{ coverage: { ...coverage, appliedThrough: 11 } }, "11 of 12"],
  "no fence": [{ fence: 0 }, "no fence"],
  "nothing compared": [{ collections: [] }, "no collection"],
  "a comparison cut off": [
    { collections: [{ ...orders!, complete: false }] },
    "shop.orders was not compared",
  ],
  "a foreign write before": [
    { before: { ...quiet, foreignWrites: ["update shop.orders 7"] } },
    "shop.orders 7",
  ],
  "a foreign write after": [
    { after: { ...quiet, foreignWrites: ["update shop.orders 8"] } },
    "shop.orders 8",
  ],
  "a write behind the fence": [{ after: { ...quiet, writesBehindFence: ["event 13"] } }, "event 13"],
  "an oplog that can't be seen": [{ after: { ...quiet, blind: ["the oplog rolled over"] } }, "rolled over"],
};
for (const [name, [change, named]] of Object.entries(unknown)) {
  test(`failback 22: UNKNOWN on ${name}, and it is named`, () => {
    const verdict = decided(change);
    expect(verdict.verdict).toBe("UNKNOWN");
    expect(verdict.reasons.join("\n")).toContain(named);
  });
}

const differs: Record<string, [Partial<Evidence>, string]> = {
  "a document": [
    { collections: [{ ...orders!, differing: 1, differingIds: ['{"$numberInt":"7"}'] }] },
    "$numberInt",
  ],
  "an index": [{ catalog: [{ what: 'shop.orders index {"sku":1}', accepted: false }] }, '{"sku":1}'],
  "an open conflict": [{ openConflicts: ["shop.orders 7 on sku"] }, "shop.orders 7 on sku"],
};
for (const [name, [change, named]] of Object.entries(differs)) {
  test(`failback 23: DIFFERS on ${name}, and it is named`, () => {
    const verdict = decided(change);
    expect(verdict.verdict).toBe("DIFFERS");
    expect(verdict.reasons.join("\n")).toContain(named);
  });
}

test("a foreign write a person accepted is noted, and what it did is compared", () => {
  const write = "insert shop.orders 9 at 5:1";
  const verdict = decided({ after: { ...quiet, foreignWrites: [write] }, accepted: new Set([write]) });
  expect(verdict).toMatchObject({
    verdict: "PROVEN",
    notes: [`accepted foreign write on MongoDB: ${write}`],
  });
});

test("a difference found while somebody wrote is UNKNOWN, and both are named", () => {
  const { verdict, reasons } = decided({
    collections: [{ ...orders!, differing: 1, differingIds: ["7"] }],
    after: { ...quiet, foreignWrites: ["update shop.orders 7"] },
  });
  expect(verdict).toBe("UNKNOWN");
  expect(reasons).toHaveLength(2);
});

test("the summary's first line is the verdict, and names from the data are no markup", () => {
  const text = renderVerdict(decided({ openConflicts: ["[x](javascript:1) | <b>"] }));
  expect(text.split("\n")[0]).toBe("# DIFFERS");
  expect(text).toContain("\\[x\\](javascript:1) \\| \\<b\\>");
  expect(renderVerdict(decided({}))).toContain("| shop.orders | 7 | 7 | 7 | 0 | 0 | 0 |");
});
