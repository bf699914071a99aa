import { exitCodeMeanings, exitCodes, RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { durationWords, type Objective } from "../../core/failback/objectives.ts";
import { code, plain, within } from "../../core/plan/markdown.ts";
import { counted, listed } from "../../core/plan/words.ts";
import { linked, type PageOf } from "./links.ts";
import { belongsTo, type Described, headline, nextOf } from "./outcome.ts";
import type { RunReport, StepReport } from "./run.ts";
import type { Caller } from "./runbook.ts";
import { renderTimeline } from "./timeline.ts";

/** GitHub drops a summary above 1 MiB whole; a verdict comes behind this one. In characters, four bytes at the worst. */
const checksLengthMax = 60_000;
const stepsLengthMax = 60_000;
const textLengthMax = 1500;

export interface SummaryExtras {
  readonly caller?: Caller;
  readonly objectives?: readonly Objective[];
  readonly pageOf?: PageOf;
}

/**
 * What the job summary holds: the outcome and what to do first, then objectives, times, steps and checks. Markdown, below
 * a third of what GitHub takes.
 */
export function renderSummary(
  runbook: Described,
  report: RunReport,
  phase: string,
  { caller, objectives = [], pageOf = () => undefined }: SummaryExtras = {},
): string {
  const [word, id] = belongsTo(report);
  const checks = report.steps.flatMap((step) => step.outcome?.checks ?? []);
  const by = caller
    ? ` By ${plain(caller.actor)}${caller.approvedBy ? `, approved by ${plain(caller.approvedBy)}` : ""}, commit ${code(caller.commit.slice(0, 12))}.`
    : "";
  const lines = [
    `## ${headline(runbook, report)}`,
    "",
    `${word === "operation" ? "Operation" : "Failback"} ${code(id)}, phase **${plain(phase)}**.${by}`,
    "",
    ...failureLines(report, pageOf),
    `**Next**: ${linked(nextOf(runbook, report), pageOf)}`,
    "",
    ...objectiveLines(objectives),
    ...renderTimeline(report),
    "",
    countsOf(report.steps, checks),
    "",
    "| Step | Time | Note |",
    "|---|---:|---|",
    ...within(
      report.steps.filter(({ state }) => state !== "not reached").map(row),
      stepsLengthMax,
      "the journal",
    ),
    "",
    ...notReached(report.steps),
    ...checkLines(checks),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a command that failed without a report of its own leaves: what it was, why, and the way to go on. */
export function renderFailure(title: string, exitCode: number, error: unknown, pageOf: PageOf): string {
  const meaning = meaningOf(exitCode);
  const code = `exit code ${exitCode}${meaning ? ` (${meaning})` : ""}`;
  return [`### ❌ ${plain(title)}: ${code}`, "", ...failureLines({ error, steps: [] }, pageOf)].join("\n");
}

function meaningOf(exitCode: number): string | undefined {
  const [kind] = Object.entries(exitCodes).find(([, code]) => code === exitCode) ?? [];
  return kind && exitCodeMeanings[kind as keyof typeof exitCodes];
}

/** The failed step, the reason, the way to go on. */
function failureLines({ error, steps }: Pick<RunReport, "error" | "steps">, pageOf: PageOf): string[] {
  if (error === undefined) return [];
  const failed = steps.find(({ state }) => state === "failed");
  const step = failed ? [`- **Failed step**: ${plain(failed.name)} (${cell(failed.what)})`] : [];
  if (!(error instanceof RoundtripError)) return [...step, `- **Error**: ${cell(String(error))}`, ""];
  return [
    ...step,
    `- **What**: ${cell(error.what)}`,
    `- **Expected**: ${cell(error.expected)}`,
    `- **Got**: ${cell(error.got)}`,
    `- **Way out**: ${linked(cut(error.wayOut), pageOf)}`,
    "",
  ];
}

function objectiveLines(objectives: readonly Objective[]): string[] {
  if (objectives.length === 0) return [];
  const rows = objectives.map(({ name, what, measuredMs, maxMs }) => {
    const mark = measuredMs === undefined ? "❔ not known" : measuredMs < maxMs ? "✅ met" : "❌ missed";
    const measured = measuredMs === undefined ? "–" : durationWords(measuredMs);
    return `| **${name}** | ${measured} | < ${durationWords(maxMs)} | ${mark} | ${cell(what)} |`;
  });
  return ["| Objective | Measured | Wanted | | |", "|---|---:|---:|---|---|", ...rows, ""];
}

function countsOf(steps: readonly StepReport[], checks: readonly Check[]): string {
  const inState = (state: StepReport["state"]) => steps.filter((step) => step.state === state).length;
  const states = (["done", "done before", "failed", "not reached"] as const)
    .filter((state) => inState(state) > 0)
    .map((state) => `${inState(state)} ${state}`);
  const now = steps.filter(({ state }) => state === "done" || state === "failed");
  const ms = now.reduce((sum, step) => sum + step.ms, 0);
  const held = checks.filter(({ ok }) => ok).length;
  const checked = checks.length > 0 ? `; ${held} of ${counted(checks.length, "check")} hold` : "";
  return `${counted(steps.length, "step")}: ${states.join(", ")}, in ${durationWords(ms)}${checked}.`;
}

function row(step: StepReport): string {
  const marks = { done: "✅", "done before": "☑️", failed: "❌", "not reached": "▫️" };
  const time = durationWords(step.ms).replaceAll(" ", "\u00A0");
  return `| ${marks[step.state]}\u00A0${plain(step.name)} | ${time} | ${noteOf(step)} |`;
}

function notReached(steps: readonly StepReport[]): string[] {
  const names = steps.filter(({ state }) => state === "not reached").map(({ name }) => plain(name));
  return names.length > 0 ? [`Not reached: ${listed(names, 50)}.`, ""] : [];
}

function noteOf({ state, startedAt, undo, outcome, what }: StepReport): string {
  if (state === "failed") return `**failed**; undo: ${cell(undo)}`;
  const note = cell(outcome?.note ?? what);
  if (state === "done") return note;
  return `done before${startedAt ? `, ${startedAt.slice(0, 16).replace("T", " ")} UTC` : ""}: ${note}`;
}

/** Checks that don't hold come first, and open. */
function checkLines(checks: readonly Check[]): string[] {
  if (checks.length === 0) return [];
  const failed = checks.filter(({ ok }) => !ok);
  const rows = [...failed, ...checks.filter(({ ok }) => ok)].map(
    ({ name, ok, expected, got }) =>
      `| ${ok ? "✅" : "❌"} ${cell(name)} | ${cell(expected)} | ${cell(got)} |`,
  );
  return [
    `<details${failed.length > 0 ? " open" : ""}><summary>${counted(checks.length, "check")}</summary>`,
    "",
    "| Check | Expected | Got |",
    "|---|---|---|",
    ...within(rows, checksLengthMax, "the journal"),
    "",
    "</details>",
    "",
  ];
}

/** Table cells and lists take no new lines, no bars, and no markup that came from a name in a database. */
function cell(text: string): string {
  return plain(cut(text));
}

function cut(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text;
}
