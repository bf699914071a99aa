/** The steps of a run as a Mermaid chart, which GitHub draws in a job summary. */
import type { RunReport, StepReport } from "./run.ts";

const nameLengthMax = 60;
const stepsMax = 100;

/**
 * A gantt of the steps that ran now; what an earlier run did lies hours away and stands in the table. Nothing when no
 * step ran. Times are the browser's.
 */
export function renderTimeline({ runbook, steps }: RunReport): string[] {
  const ran = steps
    .map((step, index) => ({ step, number: index + 1 }))
    .filter(({ step }) => (step.state === "done" || step.state === "failed") && step.startedAt);
  if (ran.length === 0) return [];
  return [
    "```mermaid",
    "gantt",
    `    title ${chartText(runbook)}`,
    "    dateFormat x",
    "    axisFormat %H:%M:%S",
    "    todayMarker off",
    ...ran.slice(0, stepsMax).map(({ step, number }) => `    ${bar(step, number)}`),
    "```",
    ...(ran.length > stepsMax ? ["", `The chart has the first ${stepsMax} of ${ran.length} steps.`] : []),
  ];
}

/** The number in front keeps a name from being read as a word of Mermaid's own, like `section`. */
function bar({ name, state, startedAt, ms }: StepReport, number: number): string {
  const from = Date.parse(startedAt ?? "");
  return `${number}. ${chartText(name)} :${state === "failed" ? "crit" : "done"}, ${from}, ${from + Math.max(1, ms)}`;
}

/** Letters, digits and what stands between them: a colon, a semicolon, `%%`, a backtick or a new line would be syntax. */
export function chartText(text: string): string {
  const kept = text.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim();
  return [...kept].slice(0, nameLengthMax).join("") || "unnamed";
}
