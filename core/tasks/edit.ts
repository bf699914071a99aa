import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { RoundtripError } from "../errors.ts";
import type { Collection, Task, Tasks } from "./model.ts";
import { quoted } from "./names.ts";
import { problemText } from "./problem.ts";
import { readTasks } from "./read.ts";
import { parseTasks } from "./tasks.ts";
import { collectionText, taskText } from "./write.ts";

/*
 * Edits put text into the file and take text out of it: comments, order and spacing of everything else stay as they
 * are, byte for byte. Each result is read again, and refused when it says anything but the change asked for.
 */

/** Adds collections at the end of a task's list. Fails with kind `configuration` when the result isn't valid. */
export function addCollections(text: string, taskId: string, collections: readonly Collection[]): string {
  const { before, document, index } = open(text, taskId);
  const list = listIn(document, index);
  const eol = lineEnd(text);
  const last = list.items.at(-1);
  const end = endOf(last);
  const edited = list.flow
    ? insert(text, end, collections.map((collection) => `, ${collectionText(collection)}`).join(""))
    : insert(
        text,
        endOfLine(text, end),
        collections.map((added) => `${eol}${dashIndent(text, list)}- ${collectionText(added)}`).join(""),
      );
  return checked(edited, {
    ...before,
    tasks: before.tasks.map((task, at) =>
      at === index ? { ...task, collections: [...task.collections, ...collections] } : task,
    ),
  });
}

/** Takes a collection out of its task, with its line. The last one of a task can't be taken out. */
export function removeCollection(text: string, taskId: string, name: string): string {
  const { before, document, index } = open(text, taskId);
  const task = before.tasks[index]!;
  const item = task.collections.findIndex((collection) => collection.name === name);
  const names = task.collections.map((collection) => collection.name).join(", ");
  if (item === -1)
    throw refused(`remove ${quoted(name)}`, `one of ${names}`, `no such collection in ${taskId}`);
  if (task.collections.length === 1)
    throw refused(`remove ${quoted(name)}`, "a task that keeps a collection", `the only one of ${taskId}`);
  const list = listIn(document, index);
  const [start, end] = [startOf(list.items[item]), endOf(list.items[item])];
  let from: number;
  let to: number;
  if (list.flow && item > 0) [from, to] = [endOf(list.items[item - 1]), end];
  else if (list.flow) [from, to] = [start, startOf(list.items[item + 1])];
  else [from, to] = [text.lastIndexOf("\n", start - 1) + 1, endOfLine(text, end) + lineEnd(text).length];
  return checked(text.slice(0, from) + text.slice(to), {
    ...before,
    tasks: before.tasks.map((other, at) =>
      at === index
        ? { ...other, collections: other.collections.filter((_, place) => place !== item) }
        : other,
    ),
  });
}

/** Adds a task for a database at the end of the list of tasks. */
export function addTask(text: string, task: Pick<Task, "id" | "database" | "collections">): string {
  const before = parseTasks(text);
  const tasks = (parsed(text).contents as YAMLMap).get("tasks");
  if (!isSeq(tasks) || tasks.flow)
    throw refused(
      `add task ${quoted(task.id)}`,
      "tasks as a list of lines that begin with -",
      "a list in brackets",
    );
  const eol = lineEnd(text);
  const lines = taskText(task, dashIndent(text, tasks));
  const at = endOfLine(text, endOf(tasks.items.at(-1)));
  return checked(insert(text, at, `${eol}${eol}${lines.join(eol)}`), {
    ...before,
    tasks: [...before.tasks, task],
  });
}

function open(text: string, taskId: string): { before: Tasks; document: Document; index: number } {
  const before = parseTasks(text);
  const index = before.tasks.findIndex(({ id }) => id === taskId);
  const ids = before.tasks.map(({ id }) => id).join(", ");
  if (index === -1) throw refused(`edit task ${quoted(taskId)}`, `one of ${ids}`, "no such task");
  return { before, document: parsed(text), index };
}

function parsed(text: string): Document {
  return parseDocument(text, { prettyErrors: false });
}

function listIn(document: Document, index: number): YAMLSeq {
  const list = document.getIn(["tasks", index, "collections"], true);
  if (isSeq(list) && list.items.length > 0 && !list.anchor) return list;
  throw refused(
    "edit the collections",
    "a list of the task's own",
    "an anchor or alias that other tasks share",
  );
}

function startOf(node: unknown): number {
  return rangeOf(node)[0];
}

function endOf(node: unknown): number {
  return rangeOf(node)[1];
}

/** Start and end of a value's own text, without comments and spaces behind it. */
function rangeOf(node: unknown): readonly [number, number] {
  if (isMap(node) && !node.flow) {
    // A block's own range reaches to the next value; its last value tells where its text ends.
    const pair = node.items.at(-1)!;
    return [rangeOf(node.items[0]!.key)[0], rangeOf(pair.value ?? pair.key)[1]];
  }
  if (isSeq(node) && !node.flow)
    return [node.range?.[0] ?? 0, node.items.length > 0 ? endOf(node.items.at(-1)) : (node.range?.[1] ?? 0)];
  const range = (isScalar(node) || isMap(node) || isSeq(node)) && node.range;
  if (range) return [range[0], range[1]];
  throw refused("edit the file", "values written out", "an alias where the change belongs");
}

/** What stands before the dash of a block list's first item. */
function dashIndent(text: string, list: YAMLSeq): string {
  const start = text.lastIndexOf("-", startOf(list.items[0]) - 1);
  const line = text.lastIndexOf("\n", start - 1) + 1;
  return text.slice(line, start).replace(/\S/g, " ");
}

function endOfLine(text: string, offset: number): number {
  // A block scalar's text ends behind its line break.
  const from = text[offset - 1] === "\n" ? offset - 1 : offset;
  const at = text.indexOf("\n", from);
  if (at === -1) return text.length;
  return text[at - 1] === "\r" ? at - 1 : at;
}

function lineEnd(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function insert(text: string, offset: number, added: string): string {
  return text.slice(0, offset) + added + text.slice(offset);
}

/** The edited text, once it is valid and says exactly what was wanted. */
function checked(edited: string, wanted: Tasks): string {
  const { tasks, problems } = readTasks(edited);
  if (!tasks)
    throw refused("change tasks.yaml", "a valid file afterwards", problems.map(problemText).join("\n"));
  if (JSON.stringify(tasks) === JSON.stringify(wanted)) return edited;
  throw refused("change tasks.yaml", "a file laid out in plain lists", "a layout this edit can't be made in");
}

function refused(what: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what,
    expected,
    got,
    wayOut: "nothing was changed; correct the command, or edit the file by hand and run roundtrip validate",
  });
}
