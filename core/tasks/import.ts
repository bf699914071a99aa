import { RoundtripError } from "../errors.ts";
import { readDocument } from "./document.ts";
import {
  collectionsOfRules,
  type FoundCollections,
  type ImportNotes,
  type OldRule,
  type SourceNames,
} from "./import-rules.ts";
import type { Collection, TaskSettings } from "./model.ts";
import { endpointOf, quoted } from "./names.ts";
import { problemText } from "./problem.ts";
import { readTasks } from "./read.ts";
import { tasksFileText } from "./write.ts";

export interface Imported extends ImportNotes {
  /** `tasks.yaml`; its losses stand in it as comments. */
  readonly text: string;
}

interface ImportedTask {
  readonly id: string;
  readonly database: string;
  readonly collections: readonly Collection[];
  readonly settings?: TaskSettings;
}

/**
 * Turns the old `dmsReplicationTasks.json` into `tasks.yaml`. `source` is what the source database has, for rules with
 * wildcards; `settings` what is known of a task's settings by its old id, where the file doesn't say it. Fails with kind `configuration` for a file that isn't of that format.
 */
export function importTasks(
  text: string,
  file: string,
  source?: SourceNames,
  settings?: ReadonlyMap<string, TaskSettings>,
): Imported {
  const out: ImportNotes = { notes: [], losses: [] };
  const tasks: ImportedTask[] = [];
  const endpoints = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [index, old] of oldTasks(text, file).entries()) {
    const id = taskId(old.task_id, index, tasks, out);
    const where = `task ${quoted(id)}`;
    for (const key of Object.keys(old).filter((name) => !knownKeys.has(name)))
      out.losses.push(`${where}: key ${quoted(key)} has no place in tasks.yaml`);
    const found = collectionsOfRules(rulesOf(old, where, file), source, where, out);
    for (const task of split(id, found, owners, out)) {
      const own = settings?.get(String(old.task_id));
      tasks.push(own ? { ...task, settings: own } : task);
      endpoint(old.target_endpoint_key, task.database, where, endpoints, out);
    }
    if (![...found.values()].some((collections) => collections.size > 0))
      out.losses.push(`${where}: no collection is left, so the task is left out`);
  }
  const result = tasksFileText(tasks, endpoints, out.losses);
  if (tasks.length > 0)
    for (const problem of readTasks(result, "tasks.yaml").problems)
      out.losses.push(`not valid yet: ${problemText(problem)}`);
  return { text: result, ...out };
}

const knownKeys = new Set(["task_id", "table-mappings", "target_endpoint_key"]);

/**
 * The tasks of the old file, as they stand there. JSON, or nearly: files kept by hand have commas too many, which YAML
 * allows. Fails with kind `configuration` for anything else.
 */
export function oldTasks(text: string, file: string): Readonly<Record<string, unknown>>[] {
  const { value, faults } = readDocument(text);
  const list = value?.plain;
  const isTask = (entry: unknown) =>
    typeof entry === "object" && entry !== null && "task_id" in entry && "table-mappings" in entry;
  if (faults.length === 0 && Array.isArray(list) && list.length > 0 && list.every(isTask)) return list;
  throw new RoundtripError({
    kind: "configuration",
    what: `import ${file}`,
    expected: "a list of {task_id, table-mappings, target_endpoint_key}",
    got: faults[0]?.message ?? (Array.isArray(list) ? "a list of something else" : "something else"),
    wayOut: "give the dmsReplicationTasks.json that Terraform read",
  });
}

/** The rules of one old task. Fails with kind `configuration` where there is no list of them. */
export function rulesOf(old: Readonly<Record<string, unknown>>, where: string, file: string): OldRule[] {
  let mappings = old["table-mappings"];
  if (typeof mappings === "string") mappings = readDocument(mappings).value?.plain;
  const rules = (mappings as { rules?: unknown } | null | undefined)?.rules;
  if (Array.isArray(rules)) return rules.filter((rule) => typeof rule === "object" && rule !== null);
  throw new RoundtripError({
    kind: "configuration",
    what: `import ${where} of ${file}`,
    expected: "table-mappings with a list of rules",
    got: quoted(JSON.stringify(mappings) ?? "nothing"),
    wayOut: "correct the task, or remove it from the file",
  });
}

/** DMS keeps identifiers in small letters and refuses what isn't a letter, a digit or a hyphen. */
function taskId(given: unknown, index: number, tasks: readonly ImportedTask[], out: ImportNotes): string {
  const old = String(given).trim();
  let id =
    old
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^[^a-z]+|-$/g, "") || `task-${index + 1}`;
  for (let number = 2; tasks.some((task) => task.id === id); number++)
    id = `${id.replace(/-\d+$/, "")}-${number}`;
  if (id !== old.toLowerCase())
    out.notes.push(
      `task ${quoted(old)} is called ${quoted(id)}: DMS refuses the old name, or it stood twice`,
    );
  return id;
}

/** One task a database, each collection in one task. */
function split(
  id: string,
  found: FoundCollections,
  owners: Map<string, string>,
  out: ImportNotes,
): ImportedTask[] {
  const tasks: ImportedTask[] = [];
  for (const [database, byName] of found) {
    const collections = [...byName.values()].filter((collection) => {
      const namespace = `${database}.${collection.name}`;
      const other = owners.get(namespace);
      if (other !== undefined)
        out.notes.push(
          `task ${quoted(id)}: ${quoted(namespace)} is left to task ${quoted(other)}, which had it before`,
        );
      else owners.set(namespace, id);
      return other === undefined;
    });
    if (collections.length === 0) continue;
    const own = tasks.length === 0 ? id : `${id}-${tasks.length + 1}`;
    if (own !== id)
      out.notes.push(
        `task ${quoted(id)} had more than one database; ${quoted(own)} is new and carries ${quoted(database)}`,
      );
    tasks.push({ id: own, database, collections });
  }
  return tasks;
}

function endpoint(
  key: unknown,
  database: string,
  where: string,
  endpoints: Map<string, string>,
  out: ImportNotes,
): void {
  if (typeof key !== "string" || key.trim() === "") return;
  const name = key.trim();
  const other = endpoints.get(database);
  if (other !== undefined && other !== name)
    out.losses.push(
      `${where}: endpoint ${quoted(name)}; database ${quoted(database)} already has ${quoted(other)}`,
    );
  else if ([...endpoints].some(([each, used]) => used === name && each !== database))
    out.losses.push(
      `${where}: endpoint ${quoted(name)} writes another database already; ${quoted(database)} gets one of its own`,
    );
  else if (name !== endpointOf({}, database)) endpoints.set(database, name);
}
