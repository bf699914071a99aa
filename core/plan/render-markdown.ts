import { code, plain } from "./markdown.ts";
import type { Plan, TaskPlan } from "./model.ts";
import { dataLines, droppedLines, isShown, summaryLine, whereText } from "./render-terminal.ts";
import { listed } from "./words.ts";

/** GitHub refuses a comment above 65,536 characters; what surrounds the plan needs some too. */
const markdownLengthMax = 60_000;

/**
 * The plan as a comment, never longer than GitHub takes: tasks are told in full while there is room, then in one line,
 * then as a count, the destructive ones first.
 */
export function renderMarkdown(plan: Plan): string {
  const changed = plan.tasks.filter(isShown);
  const dropped = droppedLines(plan);
  const opening = [
    `### Plan: ${summaryLine(plan)}`,
    "",
    `${code(plan.base.name)} → ${code(plan.head.name)}, digest ${code(plan.digest)}`,
    ...(dropped.length > 0
      ? ["", "**Data is dropped**", "", ...dropped.map((line) => `- ${plain(line)}`)]
      : []),
    ...(changed.length > 0 ? ["", "**Tasks**, destructive ones first", ""] : []),
  ].join("\n");
  const closing = [
    ...collapsed("On DocumentDB", dataLines(plan)),
    ...collapsed("Will not happen", plan.willNotHappen),
    "",
  ].join("\n");
  const room = markdownLengthMax - opening.length - closing.length - 300;
  return `${opening}\n${tasksWithin(changed, room)}\n${closing}`;
}

function tasksWithin(tasks: readonly TaskPlan[], room: number): string {
  const short = tasks.map(shortForm);
  // A line for every task comes before details of any.
  let left = room - short.reduce((total, line) => total + line.length + 1, 0);
  const parts: string[] = [];
  let used = 0;
  for (const [index, task] of tasks.entries()) {
    const full = fullForm(task);
    const extra = full.length - short[index]!.length;
    const part = extra <= left ? full : short[index]!;
    if (part === full) left -= extra;
    if (used + part.length + 1 > room) {
      parts.push(
        `\n${tasks.length - index} more tasks are in the plan's JSON: the comment has no room for them.\n`,
      );
      break;
    }
    used += part.length + 1;
    parts.push(part);
  }
  return parts.join("\n");
}

function shortForm(task: TaskPlan): string {
  const mark = task.destructive ? "⚠️ " : "";
  return `- ${mark}**${task.action}** ${code(task.id)} ${countsOf(task)}`;
}

function fullForm(task: TaskPlan): string {
  const lines = task.reasons.flatMap((reason) => [
    `  - ${plain(reason.change + whereText(reason))}<br>${plain(reason.why)}`,
  ]);
  if (task.collectionsLoaded.length > 0)
    lines.push(`  - loaded in full: ${plain(listed(task.collectionsLoaded))}`);
  for (const { name, action } of task.environments) lines.push(`  - in ${name}: ${action}`);
  return [
    `- ${task.destructive ? "⚠️ " : ""}**${task.action}** ${code(task.id)} ${countsOf(task)}`,
    "  <details><summary>why</summary>",
    "",
    ...lines,
    "",
    "  </details>",
  ].join("\n");
}

function countsOf(task: TaskPlan): string {
  const counts = [
    [task.collectionsAdded.length, "added"],
    [task.collectionsRemoved.length, "removed"],
    [task.collectionsRenamed.length, "renamed"],
  ] as const;
  return counts
    .filter(([count]) => count > 0)
    .map(([count, verb]) => `${count} ${verb}`)
    .join(", ");
}

function collapsed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [
    "",
    `<details><summary>${title}</summary>`,
    "",
    ...lines.map((line) => `- ${plain(line)}`),
    "",
    "</details>",
  ];
}
