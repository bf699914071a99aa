import { code, plain, within } from "./markdown.ts";
import type { LoadEstimate, Plan, Revision, TaskPlan } from "./model.ts";
import {
  leftLines,
  liveDataLines,
  loadWords,
  lookedLine,
  lossLines,
  obstacleLines,
  problemLines,
  resourceLines,
  terraformSummary,
  unknownLines,
  userLines,
} from "./render-live.ts";
import { dataLines, droppedLines, isShown, loadsByTask, summaryLine, whereText } from "./render-terminal.ts";
import { listed } from "./words.ts";

/** GitHub refuses a comment above 65,536 characters; what surrounds the plan needs some too. */
const markdownLengthMax = 60_000;
const listLengthMax = 7_000;

/**
 * The plan as a comment, never longer than GitHub takes: tasks are told in full while there is room, then in one line,
 * then as a count, the destructive ones first.
 */
export function renderMarkdown(plan: Plan): string {
  const changed = plan.tasks.filter(isShown);
  const dropped = [...droppedLines(plan), ...lossLines(plan)];
  const opening = [
    `### Plan: ${summaryLine(plan)}`,
    "",
    `${revision(plan.base)} → ${revision(plan.head)}, digest ${code(plan.digest)}`,
    ...looked(plan),
    ...titled("⚠️ Terraform disagrees", problemLines(plan)),
    ...titled("Data is dropped", dropped),
    ...titled("Unknown", unknownLines(plan)),
    ...titled("In the way", obstacleLines(plan)),
    ...(changed.length > 0 ? ["", "**Tasks**, destructive ones first", ""] : []),
  ].join("\n");
  const closing = [
    ...collapsed("On DocumentDB", [...dataLines(plan), ...liveDataLines(plan)]),
    ...collapsed("Users, to be looked at", within(userLines(plan), listLengthMax)),
    ...collapsed("Will not happen", [...plan.willNotHappen, ...leftLines(plan)]),
    "",
  ].join("\n");
  const room = markdownLengthMax - opening.length - closing.length - 300;
  const tasks = tasksWithin(changed, loadsByTask(plan), room);
  return `${opening}\n${tasks}\n${terraformWithin(plan, room - tasks.length)}${closing}`;
}

/** A name, and the commit it stood for. */
function revision({ name, commit }: Revision): string {
  return commit && !commit.startsWith(name) ? `${code(name)} (${commit.slice(0, 12)})` : code(name);
}

function looked(plan: Plan): string[] {
  return [lookedLine(plan), terraformSummary(plan)]
    .filter((line) => line !== undefined)
    .flatMap((line) => ["", plain(line)]);
}

/** Bounded: what was looked up may be long, and every task's line comes before its details. */
function titled(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ["", `**${title}**`, "", ...within(lines.map(item), listLengthMax)];
}

/** Each change of Terraform, in what room the tasks have left. */
function terraformWithin(plan: Plan, room: number): string {
  const items = within(resourceLines(plan).map(item), Math.min(listLengthMax, room - 100));
  return [...folded("Terraform, losses first", items), ""].join("\n");
}

function tasksWithin(
  tasks: readonly TaskPlan[],
  loads: ReadonlyMap<string, LoadEstimate>,
  room: number,
): string {
  const short = tasks.map(shortForm);
  // A line for every task comes before details of any.
  let left = room - short.reduce((total, line) => total + line.length + 1, 0);
  const parts: string[] = [];
  let used = 0;
  for (const [index, task] of tasks.entries()) {
    const full = fullForm(task, loads.get(task.id));
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

function fullForm(task: TaskPlan, load: LoadEstimate | undefined): string {
  const lines = task.reasons.flatMap((reason) => [
    `  - ${plain(reason.change + whereText(reason))}<br>${plain(reason.why)}`,
  ]);
  if (task.collectionsLoaded.length > 0)
    lines.push(`  - loaded in full: ${plain(listed(task.collectionsLoaded))}`);
  if (load) lines.push(`  - ${plain(loadWords(load))}`);
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
  return folded(title, lines.filter((line) => line !== "").map(item));
}

function item(line: string): string {
  return `- ${plain(line)}`;
}

function folded(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return ["", `<details><summary>${title}</summary>`, "", ...items, "", "</details>"];
}
