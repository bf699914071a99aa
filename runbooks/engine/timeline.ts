/** The steps of a run as a Mermaid chart, which GitHub draws in a job summary. */
import type { RunReport, StepReport } from "./run.ts";

const nameLengthMax = 60;
const stepsMax = 100;
const ticksMax = 8;
const lastInterval = [1, "day", 86_400] as const;
/** Number, Mermaid's unit, its seconds. */
const intervals: readonly (readonly [number, string, number])[] = [
  [1, "second", 1],
  [5, "second", 1],
  [15, "second", 1],
  [1, "minute", 60],
  [5, "minute", 60],
  [15, "minute", 60],
  [1, "hour", 3600],
  [6, "hour", 3600],
  lastInterval,
];

/**
 * A gantt of the steps that ran now; what an earlier run did lies hours away and stands in the table. Nothing for less
 * than two steps. Times are the browser's.
 */
export function renderTimeline({ runbook, steps }: RunReport): string[] {
  const ran = steps
    .map((step, index) => ({ step, number: index + 1 }))
    .filter(({ step }) => (step.state === "done" || step.state === "failed") && step.startedAt);
  if (ran.length < 2) return [];
  return [
    "```mermaid",
    "gantt",
    `    title ${chartText(runbook)} (your browser's time)`,
    "    dateFormat x",
    "    axisFormat %H:%M:%S",
    `    tickInterval ${tickInterval(ran.map(({ step }) => step))}`,
    "    todayMarker off",
    ...ran.slice(0, stepsMax).map(({ step, number }) => `    ${bar(step, number)}`),
    "```",
    ...(ran.length > stepsMax ? ["", `The chart has the first ${stepsMax} of ${ran.length} steps.`] : []),
  ];
}

/** So far apart that the marks below the chart don't overlap. */
function tickInterval(steps: readonly StepReport[]): string {
  const starts = steps.map(({ startedAt }) => Date.parse(startedAt ?? ""));
  const ends = steps.map(({ ms }, index) => starts[index]! + ms);
  const seconds = (Math.max(...ends) - Math.min(...starts)) / 1000;
  const [number, unit] =
    intervals.find(([count, , size]) => seconds / (count * size) <= ticksMax) ?? lastInterval;
  return `${number}${unit}`;
}

/** The number in front keeps a name from being read as a word of Mermaid's own, like `section`. */
function bar({ name, state, startedAt, ms }: StepReport, number: number): string {
  const from = Date.parse(startedAt ?? "");
  return `${number}. ${chartText(name)} :${state === "failed" ? "crit" : "done"}, ${from}, ${from + Math.max(1, ms)}`;
}

/** Letters, digits and what stands between them: a colon, a semicolon, `%%`, a backtick or a new line would be syntax. */
function chartText(text: string): string {
  const kept = text.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim();
  return [...kept].slice(0, nameLengthMax).join("") || "unnamed";
}
