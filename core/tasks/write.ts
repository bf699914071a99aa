import { stringify } from "yaml";
import type { Collection, ParallelLoad, TaskSettings } from "./model.ts";
import { hiddenCharacter, spellOut } from "./names.ts";
import { isOtherForTerraform } from "./unquoted.ts";

export interface WrittenTask {
  readonly id: string;
  readonly database: string;
  readonly collections: readonly Collection[];
  readonly settings?: TaskSettings;
}

/** A whole tasks file; `left` are things a person must look at, written as comments. */
export function tasksFileText(
  tasks: readonly WrittenTask[],
  endpoints: ReadonlyMap<string, string>,
  left: readonly string[],
): string {
  const lines = [
    "# yaml-language-server: $schema=./schemas/tasks.schema.json",
    "#",
    "# What is replicated from MongoDB to Amazon DocumentDB.",
    ...left.map((line) => `# NOT CARRIED OVER: ${oneLine(line)}`),
    "version: 1",
    "",
  ];
  if (endpoints.size > 0) {
    lines.push("# The endpoints that exist: a DMS task can't change its endpoint.", "targetEndpoints:");
    for (const [database, id] of endpoints) lines.push(`  ${scalarText(database)}: ${scalarText(id)}`);
    lines.push("");
  }
  lines.push("tasks:", tasks.map((task) => taskText(task, "  ").join("\n")).join("\n\n"));
  return `${lines.join("\n")}\n`;
}

/** The lines of one task as an item of a block list. */
export function taskText(task: WrittenTask, indent: string): string[] {
  return [
    `${indent}- id: ${scalarText(task.id)}`,
    `${indent}  database: ${scalarText(task.database)}`,
    `${indent}  collections:`,
    ...task.collections.map((collection) => `${indent}    - ${collectionText(collection)}`),
    ...settingsLines(task.settings ?? {}, `${indent}  `),
  ];
}

function settingsLines(settings: TaskSettings, indent: string): string[] {
  if (Object.keys(settings).length === 0) return [];
  return stringify({ settings }, { lineWidth: 0 })
    .trimEnd()
    .split("\n")
    .map((line) => `${indent}${line}`);
}

/** A collection as an item of a list, block or flow. */
export function collectionText(collection: Collection): string {
  const { name, renamedFrom, loadOrder, parallelLoad } = collection;
  const special = [
    ...(renamedFrom === undefined ? [] : [`renamedFrom: ${scalarText(renamedFrom)}`]),
    ...(loadOrder === undefined ? [] : [`loadOrder: ${loadOrder}`]),
    ...(parallelLoad === undefined ? [] : [`parallelLoad: ${loadText(parallelLoad)}`]),
  ];
  // The checks of `database.collection` take a plain dotted name for a slip; an object is taken at its word.
  if (special.length === 0 && !name.includes(".")) return scalarText(name);
  return `{${[`name: ${scalarText(name)}`, ...special].join(", ")}}`;
}

function loadText({ partitions, boundaries = [] }: ParallelLoad): string {
  return partitions === undefined
    ? `{boundaries: [${boundaries.map((text) => JSON.stringify(text)).join(", ")}]}`
    : `{partitions: ${partitions}}`;
}

/** Text as YAML reads it back, in any place: plain where it is a plain word, in quotes otherwise. */
function scalarText(text: string): string {
  if (!/^[A-Za-z_][\w.-]*$/.test(text) || isOtherForTerraform(text)) return JSON.stringify(text);
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

function oneLine(text: string): string {
  return text.replace(new RegExp(`${hiddenCharacter.source}|[\\r\\n]`, "gu"), spellOut);
}
