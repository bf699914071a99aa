/** At least 95 % of what applies to a replica set with fail points, in the areas the stand-in is judged by. */
import { beforeAll, describe, expect, test } from "bun:test";
import { judgedAreas, leastShare } from "./areas.ts";
import { type AreaReport, asText } from "./report.ts";
import { runAreas } from "./run-areas.ts";

const root = process.env.SPECIFICATIONS;
const title = root
  ? "the drivers' unified specification tests"
  : "the drivers' unified specification tests (skipped: SPECIFICATIONS names no checkout of mongodb/specifications)";

describe.skipIf(!root)(title, () => {
  let reports: AreaReport[] = [];

  beforeAll(async () => {
    reports = await runAreas({ root: root!, areas: judgedAreas });
  }, 600_000);

  for (const area of judgedAreas) {
    test(`${area}: at least ${leastShare} % pass`, () => {
      const report = reports.find((one) => one.area === area)!;
      if (report.failed > 0) console.log(asText(report));
      expect(report.passed).toBeGreaterThan(0);
      expect(report.share).toBeGreaterThanOrEqual(leastShare);
    });
  }
});
