/** tasks.yaml from what DMS has, and where the old tasks file says otherwise. What runs is right: nothing is lost by it. */
import { RoundtripError } from "../errors.ts";
import { listed } from "../plan/words.ts";
import { dmsPattern } from "../tasks/dms-pattern.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { importTasks, oldTasks, rulesOf } from "../tasks/import.ts";
import { collectionsOfRules, type OldRule, type SourceNames } from "../tasks/import-rules.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { EnvironmentName, Task, Tasks } from "../tasks/model.ts";
import { quoted } from "../tasks/names.ts";
import { problemText } from "../tasks/problem.ts";
import { readTasks } from "../tasks/read.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";
import { type ReadSettings, readSettings } from "./settings.ts";
import type { OldSetup, OldTask } from "./setup.ts";

type Json = Readonly<Record<string, unknown>>;

/** What DMS has, and what tasks.yaml says in its place: the first holds as long as the second isn't changed. */
export interface Kept {
  readonly inDms: unknown;
  readonly declared: unknown;
}

export interface AdoptedTasks {
  readonly text: string;
  readonly tasks: Tasks;
  /** By task; without mappings where tasks.yaml can't leave them as they are. */
  readonly kept: Readonly<Record<string, { readonly mappings?: Kept; readonly settings: Kept }>>;
  /** Tasks of tasks.yaml that DMS doesn't have. */
  readonly created: readonly Task[];
  readonly notes: readonly string[];
  readonly losses: readonly string[];
}

export interface TasksInput {
  readonly setup: OldSetup;
  /** Content and name of the old tasks file. */
  readonly text: string;
  readonly file: string;
  readonly names?: SourceNames;
  readonly environment: EnvironmentName;
}

/** Fails with kind `configuration` for files that can't be read, or when no valid tasks.yaml comes of them. */
export function adoptTasks({ setup, text, file, names, environment }: TasksInput): AdoptedTasks {
  const notes: string[] = [];
  const losses: string[] = [];
  const inFile = oldTasks(text, file);
  const found = inOrderOf(inFile, setup.tasks).map((task) => ({
    ...task,
    rules: rulesOf(
      { "table-mappings": task.object.text("table_mappings") },
      `task ${quoted(task.id)}`,
      "the state",
    ),
    settings: readSettings(objectIn(task.object.text("replication_task_settings")!)),
  }));
  losses.push(...differences(inFile, found, file, names));
  const imported = importTasks(
    JSON.stringify(found.map(asOldTask)),
    "the state",
    names,
    new Map(found.map(({ id, settings }) => [id, settings.settings])),
  );
  const { tasks, problems } = readTasks(imported.text, "tasks.yaml");
  if (!tasks) throw notValid(imported.losses.length > 0 ? imported.losses : problems.map(problemText));
  const empty = found.filter(({ id }) => !tasks.tasks.some((task) => task.id === id));
  if (empty.length > 0)
    throw notValid(
      empty.map(({ id }) => `task ${quoted(id)}: no collection of it can be told, so it can't be declared`),
    );
  notes.push(...imported.notes, ...found.flatMap(wildcardNote), ...settingsNotes(found));
  losses.push(...imported.losses);
  const kept: Record<string, { mappings?: Kept; settings: Kept }> = {};
  const byId = new Map(found.map((task) => [task.id, task]));
  for (const task of tasks.tasks) {
    const old = byId.get(task.id);
    if (!old) continue;
    const { settings, endpoint } = effectiveTask(tasks, task, environment);
    const difference = mappingsChange(task, old.rules, names);
    if (endpoint !== old.target.text("endpoint_id"))
      losses.push(endpointLoss(task.id, old.target.id, endpoint));
    if (difference)
      losses.push(
        `task ${quoted(task.id)}: its mappings change (${difference}); Terraform stops a running task for that and doesn't start it again`,
      );
    kept[task.id] = {
      ...(difference
        ? {}
        : { mappings: { inDms: { rules: old.rules }, declared: tableMappings(task, settings.partitions) } }),
      settings: { inDms: old.settings.inDms, declared: dmsTaskSettings(settings) },
    };
  }
  const created = tasks.tasks.filter(({ id }) => !byId.has(id));
  for (const { id, database } of created)
    losses.push(
      `task ${quoted(id)} is new: DMS loads database ${quoted(database)} in full through it, beside what was loaded before`,
    );
  return { text: imported.text, tasks, kept, created, notes, losses };
}

interface FoundTask extends OldTask {
  readonly rules: OldRule[];
  readonly settings: ReadSettings;
}

function asOldTask({ id, rules, target }: FoundTask): Json {
  return { task_id: id, "table-mappings": { rules }, target_endpoint_key: target.text("endpoint_id") };
}

function idOf(old: Json): string {
  return String(old.task_id).trim().toLowerCase();
}

/** The file's order, then what only the state has. */
function inOrderOf(inFile: readonly Json[], tasks: readonly OldTask[]): OldTask[] {
  const place = new Map(inFile.map((old, index) => [idOf(old), index]));
  const at = ({ id }: OldTask) => place.get(id) ?? inFile.length;
  return [...tasks].sort((left, right) => at(left) - at(right));
}

/** What the old tasks file and the state say differently, each with what becomes of it. */
function differences(
  inFile: readonly Json[],
  found: readonly FoundTask[],
  file: string,
  names?: SourceNames,
): string[] {
  const lines: string[] = [];
  const byId = new Map(found.map((task) => [task.id, task]));
  const seen = new Set<string>();
  for (const old of inFile) {
    const id = idOf(old);
    seen.add(id);
    const task = byId.get(id);
    if (!task) {
      lines.push(
        `task ${quoted(id)} of ${file} isn't in the state: left out; add it when the set-up is adopted`,
      );
      continue;
    }
    const key = String(old.target_endpoint_key ?? "").trim();
    const endpoint = task.target.text("endpoint_id") ?? "";
    if (key !== "" && key.toLowerCase() !== endpoint.toLowerCase())
      lines.push(
        `task ${quoted(id)}: ${file} names endpoint ${quoted(key)}, the state ${quoted(endpoint)}: kept as in the state`,
      );
    const [wanted, has] = [rulesOf(old, `task ${quoted(id)}`, file), task.rules].map((rules) =>
      namespacesOf(rules, names),
    );
    const missing = wanted!.filter((name) => !has!.includes(name));
    const more = has!.filter((name) => !wanted!.includes(name));
    if (missing.length > 0)
      lines.push(
        `task ${quoted(id)}: ${listed(missing)} of ${file} isn't in the state's mappings: left out; add it when the set-up is adopted`,
      );
    if (more.length > 0)
      lines.push(
        `task ${quoted(id)}: the state has ${listed(more)}, ${file} hasn't: kept, because DMS replicates it`,
      );
  }
  for (const { id } of found)
    if (!seen.has(id))
      lines.push(`task ${quoted(id)} is in the state and not in ${file}: kept, because DMS runs it`);
  return lines;
}

/** What rules take, as text that shows wildcards as they are where the source's names aren't known. */
function namespacesOf(rules: readonly OldRule[], names?: SourceNames): string[] {
  const out = { notes: [], losses: [] as string[] };
  const found = [...collectionsOfRules(rules, names, "", out)];
  return [
    ...found.flatMap(([database, byName]) => [...byName.keys()].map((name) => `${database}.${name}`)),
    ...out.losses,
  ].sort();
}

/** How the collections of a task differ from what its rules in DMS take; undefined when they are the same. */
function mappingsChange(task: Task, rules: readonly OldRule[], names?: SourceNames): string | undefined {
  const before = [...collectionsOfRules(rules, names, "", { notes: [], losses: [] })].flatMap(
    ([database, byName]) => [...byName.keys()].map((name) => `${database}.${name}`),
  );
  const after = new Set(task.collections.map(({ name }) => `${task.database}.${name}`));
  const without = before.filter((name) => !after.has(name));
  return without.length > 0 ? `without ${listed(without)}` : undefined;
}

/** The old rule stays in DMS, and takes what appears later. */
function wildcardNote({ id, rules }: FoundTask): string[] {
  const open = rules.filter((rule) => {
    const { "schema-name": schema, "table-name": table } = (rule["object-locator"] ?? {}) as Json;
    const isExact = [schema, table].every((name) => dmsPattern(String(name ?? "")).literal !== undefined);
    return rule["rule-action"] === "include" && !isExact;
  });
  return open.length === 0
    ? []
    : [
        `task ${quoted(id)}: its wildcard stays in DMS until the task is changed in tasks.yaml; a collection that appears before is replicated without being declared`,
      ];
}

/** Tasks with the same settings share a line. */
function settingsNotes(found: readonly FoundTask[]): string[] {
  const byRest = new Map<string, string[]>();
  for (const { id, settings } of found)
    if (settings.rest !== undefined)
      byRest.set(settings.rest, [...(byRest.get(settings.rest) ?? []), quoted(id)]);
  return [...byRest].map(
    ([rest, ids]) =>
      `${ids.length === 1 ? "task" : "tasks"} ${listed(ids)}: DMS has ${rest}; that stays until the task's settings are changed in tasks.yaml`,
  );
}

function endpointLoss(id: string, old: string, endpoint: string): string {
  return `task ${quoted(id)}: writes through endpoint ${quoted(old)}, tasks.yaml gives it ${quoted(endpoint)}: a DMS task can't change its endpoint, so it would be recreated and loaded in full`;
}

function objectIn(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below: it is no object either way.
  }
  throw new RoundtripError({
    kind: "configuration",
    what: "read replication_task_settings of the state",
    expected: "a JSON object",
    got: `${text.length} characters of something else`,
    wayOut: "terraform apply -refresh-only in the old root, then terraform show -json again",
  });
}

function notValid(problems: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "write tasks.yaml from the state",
    expected: "a valid file",
    got: problems.join("\n"),
    wayOut:
      "mend what is named in the old set-up, or give --names where collections can't be told; nothing was written",
  });
}
