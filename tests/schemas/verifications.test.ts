/** Verifications and tests of the way back are read by other programs: their schemas refuse what would mislead them. */
import { expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import drTestSchema from "../../schemas/dr-test.schema.json";
import verificationSchema from "../../schemas/verification.schema.json";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
addFormats(ajv);
const [isVerification, isDrTest] = [ajv.compile(verificationSchema), ajv.compile(drTestSchema)];
const at = "2026-11-21T00:40:00.000Z";

test("verification.schema.json: PROVEN with a level that isn't, and DIFFERS without one that does, are refused", () => {
  const level = { level: 1, verdict: "PROVEN", findings: ["as it was"], seconds: 0.5 };
  const verification = {
    version: 1,
    environment: "prod",
    backupId: "2026-11-21T00-00-00Z",
    startedAt: at,
    finishedAt: at,
    verdict: "PROVEN",
    levels: [level],
  };
  expect(isVerification(verification)).toBe(true);
  expect(isVerification({ ...verification, verdict: "DIFFERS" })).toBe(false);
  expect(
    isVerification({ ...verification, levels: [level, { ...level, level: 3, verdict: "UNKNOWN" }] }),
  ).toBe(false);
  expect(isVerification({ ...verification, levels: [] })).toBe(false);
  expect(isVerification({ ...verification, levels: [{ ...level, findings: [] }] })).toBe(false);
});

test("dr-test.schema.json: data that is back without anything measured is refused", () => {
  const objectives = ["RTO", "RPO"].map((name) => ({ name, what: "w", measuredMs: 1, maxMs: 60_000 }));
  const result = {
    version: 1,
    id: "2026-11-01T03-30-00Z",
    environment: "prod",
    startedAt: at,
    finishedAt: at,
    verdict: "PROVEN",
    documents: 10_000,
    objectives,
    findings: ["1 of 90 heartbeats lost"],
  };
  expect(isDrTest(result)).toBe(true);
  expect(isDrTest({ ...result, objectives: [] })).toBe(false);
  expect(isDrTest({ ...result, verdict: "UNKNOWN", objectives: [] })).toBe(true);
  expect(isDrTest({ ...result, findings: [] })).toBe(false);
});
