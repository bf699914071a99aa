import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { durationWords, objectivesOf } from "../../core/failback/objectives.ts";
import { renderVerdict } from "../../core/verdict/render.ts";
import { operations, runbooks } from "../catalog.ts";
import { failbackRestore } from "../failback-restore/runbook.ts";
import { failbackStart } from "../failback-start/runbook.ts";
import { linked, workflowPage } from "./links.ts";
import type { RunReport, StepReport } from "./run.ts";
import { renderFailure, renderSummary } from "./summary.ts";
import { renderTimeline } from "./timeline.ts";

const gitHubBytesMax = 1024 * 1024;
const variables = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "acme/data" };
const names = new Set([...runbooks, ...operations].map(({ name }) => name));
const pageOf = (name: string) => (names.has(name) ? workflowPage(variables, name) : undefined);

function stepOf(given: Partial<StepReport>): StepReport {
  const startedAt = "2026-11-21T10:00:00.000Z";
  return { name: "drain", what: "w", undo: "u", state: "done", ms: 1200, startedAt, ...given };
}

function reportOf(steps: readonly StepReport[], error?: unknown): RunReport {
  const failed = error === undefined ? {} : { error };
  return { runbook: "failback-restore", failbackId: "f1", succeeded: error === undefined, steps, ...failed };
}

const noAnswer = new RoundtripError({
  kind: "unavailable",
  what: "reach MongoDB",
  expected: "a primary",
  got: "no answer from [x](http://evil) @all",
  wayOut: "failback-reopen gives the writes back; then failback-restore again",
});

describe("a job summary", () => {
  test("outcome, what it belongs to and who ran it, next, objectives, chart, counts, steps: in this order", () => {
    const summary = renderSummary(
      failbackStart,
      reportOf([stepOf({}), stepOf({ name: "fence" })]),
      "capturing",
      {
        caller: { actor: "ana", approvedBy: "bo", commit: "0123456789abcdef" },
        objectives: [
          { name: "RTO", what: "until writable", measuredMs: 61_000, maxMs: 3_600_000 },
          { name: "RPO", what: "until in S3", maxMs: 60_000 },
        ],
        pageOf,
      },
    );
    expect(summary.split("\n")).toEqual([
      "## ✅ failback-start succeeded",
      "",
      "Failback `f1`, phase **capturing**. By ana, approved by bo, commit `0123456789ab`.",
      "",
      "**Next**: the applications may write to DocumentDB. When MongoDB is back: [failback-restore](https://github.com/acme/data/actions/workflows/failback-restore.yml)",
      "",
      "| Objective | Measured | Wanted | | |",
      "|---|---:|---:|---|---|",
      "| **RTO** | 1 min 1 s | < 1 h | ✅ met | until writable |",
      "| **RPO** | – | < 1 min | ❔ not known | until in S3 |",
      "",
      "```mermaid",
      "gantt",
      "    title failback-restore (your browser's time)",
      "    dateFormat x",
      "    axisFormat %H:%M:%S",
      "    tickInterval 1second",
      "    todayMarker off",
      "    1. drain :done, 1795255200000, 1795255201200",
      "    2. fence :done, 1795255200000, 1795255201200",
      "```",
      "",
      "2 steps: 2 done, in 2.4 s.",
      "",
      "| Step | Time | Note |",
      "|---|---:|---|",
      "| ✅\u00A0drain | 1.2\u00A0s | w |",
      "| ✅\u00A0fence | 1.2\u00A0s | w |",
      "",
      "",
    ]);
  });

  test("of a failure names the step, the reason and the way to go on, with links and without markup of others", () => {
    const steps = [
      stepOf({ name: "host-ready", state: "done before" }),
      stepOf({ state: "failed" }),
      stepOf({ name: "verdict", state: "not reached", ms: 0 }),
    ];
    const summary = renderSummary(failbackRestore, reportOf(steps, noAnswer), "draining", { pageOf });
    expect(summary).toStartWith("## ❌ failback-restore stopped at step drain\n");
    expect(summary).toContain("- **Failed step**: drain (w)\n- **What**: reach MongoDB\n");
    expect(summary).toContain("- **Way out**: [failback-reopen](https://");
    expect(summary).toContain("run [failback-restore](https://");
    expect(summary).toContain("3 steps: 1 done before, 1 failed, 1 not reached, in 1.2 s.");
    expect(summary).toContain("| ☑️\u00A0host-ready | 1.2\u00A0s | done before, 2026-11-21 10:00 UTC: w |");
    expect(summary).toContain("\nNot reached: verdict.\n");
    // One bar says nothing.
    expect(summary).not.toContain("mermaid");
    expect(summary).not.toMatch(/\[x\]|@all/);
  });

  test("of a command without steps says the exit code and what it means", () => {
    expect(renderFailure("plan", 4, noAnswer, pageOf)).toStartWith(
      "### ❌ plan: exit code 4 (something did not answer, or with a passing fault; another try can mend it)\n\n- **What**: reach",
    );
  });

  test("with its verdict stays below GitHub's 1 MiB in the largest case, what failed first", () => {
    const long = "😀<|`".repeat(2000);
    const checks = Array.from({ length: 2000 }, (_, n) => ({
      name: `check ${n} ${long}`,
      ok: n !== 1999,
      expected: long,
      got: long,
    }));
    const steps = Array.from({ length: 200 }, (_, n) =>
      stepOf({ name: `step-${n}-${long}`, outcome: { note: long, checks: n === 0 ? checks : [] } }),
    );
    const failure = { kind: "unknown", what: long, expected: long, got: long, wayOut: long } as const;
    const error = new RoundtripError(failure);
    const summary = renderSummary(failbackRestore, reportOf(steps, error), "restoring", { pageOf });
    const verdict = renderVerdict(largestVerdict(long));
    expect(Buffer.byteLength(`${summary}\n${verdict}`)).toBeLessThan(gitHubBytesMax);
    expect(summary).toContain("<details open><summary>2000 checks</summary>");
    expect(summary).toContain("| ❌ check 1999 ");
    expect(summary).toContain("more lines are in the journal.");
    expect(verdict).toContain("| shop.last ");
    expect(verdict).toContain("more lines are in verdict.json.");
  });
});

function largestVerdict(long: string): Verdict {
  const rows = Array.from({ length: 10_000 }, (_, n) => ({
    database: "shop",
    collection: n === 9_999 ? "last" : `collection_${n}`,
    documents: { documentdb: n, mongodb: n },
    equal: n,
    tail: 0,
    conflicts: 0,
    differing: n === 9_999 ? 3 : 0,
    differingIds: [],
  }));
  return {
    version: 1,
    failbackId: "f1",
    verdict: "DIFFERS",
    reasons: Array.from({ length: 1000 }, () => long),
    takenAt: "2026-11-21T10:00:00.000Z",
    fence: 1,
    coverage: { firstSequence: 1, lastSequence: 2, manifests: 1 },
    captured: 2,
    applied: 2,
    held: 0,
    tail: 0,
    conflicts: 0,
    collections: rows,
    catalog: Array.from({ length: 500 }, () => ({ what: long, accepted: false })),
    notes: Array.from({ length: 500 }, () => long),
    normalisations: [],
    durations: { applyMs: 1, compareMs: 1 },
  };
}

test("the chart has what ran now: the failed step in red, an earlier run's nowhere", () => {
  const steps = [
    stepOf({ name: "a", state: "done before" }),
    stepOf({ name: "b" }),
    stepOf({ state: "failed" }),
  ];
  expect(renderTimeline(reportOf(steps)).slice(7, -1)).toEqual([
    "    2. b :done, 1795255200000, 1795255201200",
    "    3. drain :crit, 1795255200000, 1795255201200",
  ]);
});

test("whatever a step is called, its chart has one line of the known form for it", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom("section x", "a:crit, 0, 9", "%%{init}%%", "```\n# x", "click a href", "\n", "título"),
  );
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 2, maxLength: 5 }), hostile, (named, runbook) => {
      const steps = named.map((name) => stepOf({ name }));
      const lines = renderTimeline({ ...reportOf(steps), runbook });
      expect(lines).toHaveLength(named.length + 8);
      expect(lines[2]).toMatch(/^ {4}title [\p{L}\p{N} ._-]{1,120} \(your browser's time\)$/u);
      for (const line of lines.slice(7, -1))
        expect(line).toMatch(/^ {4}\d+\. [\p{L}\p{N} ._-]{1,120} :done, 1795255200000, 1795255201200$/u);
    }),
  );
});

test("links: only on GitHub, only whole names", () => {
  expect(linked("run failback-start, not failback-start-x or a/failback-start", pageOf)).toBe(
    "run [failback-start](https://github.com/acme/data/actions/workflows/failback-start.yml), not failback-start-x or a/failback-start",
  );
  expect(workflowPage({}, "x")).toBeUndefined();
  expect(workflowPage({ ...variables, GITHUB_REPOSITORY: "a/b)](http://evil" }, "x")).toBeUndefined();
});

describe("objectives", () => {
  const wanted = { rtoSecondsMax: 3600, rpoSecondsMax: 60 };
  const history = [
    { phase: "capturing", at: "2026-11-21T10:00:00Z", by: "a" },
    { phase: "draining", at: "2026-11-21T12:00:00Z", by: "a" },
    { phase: "capturing", at: "2026-11-21T12:10:00Z", by: "a" },
    { phase: "draining", at: "2026-11-21T13:00:00Z", by: "a" },
  ] as const;

  test("clean: from the last drain until MongoDB was open; not known where nothing says when", () => {
    const seen = { history, now: "2026-11-21T14:30:00Z", mongodbReopenedAt: "2026-11-21T13:05:00Z" };
    expect(objectivesOf("failback-clean", seen, wanted)).toMatchObject([
      { name: "RTO", measuredMs: 300_000, maxMs: 3_600_000 },
    ]);
    const [unknown] = objectivesOf("failback-clean", { history, now: seen.now }, wanted);
    expect(unknown?.measuredMs).toBeUndefined();
  });

  test("a clock that went backwards is not known, never met; a resume decides none", () => {
    const seen = { history, now: "2026-11-21T09:00:00Z", openedAt: "2026-11-21T10:00:00Z", canaryMs: 40 };
    const [rto, rpo] = objectivesOf("failback-start", seen, wanted);
    expect([rto?.measuredMs, rpo?.measuredMs]).toEqual([undefined, 40]);
    expect(objectivesOf("failback-resume", seen, wanted)).toEqual([]);
  });

  test("durations in words", () => {
    expect([40, 1200, 61_000, 3_600_000, 7_800_000].map(durationWords)).toEqual([
      "40 ms",
      "1.2 s",
      "1 min 1 s",
      "1 h",
      "2 h 10 min",
    ]);
  });
});
