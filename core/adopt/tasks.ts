/** tasks.yaml from what DMS has, and where the old tasks file says otherwise. What runs is right: nothing is lost by it. */
import { RoundtripError } from "../errors.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { importTasks, oldTasks, rulesOf } from "../tasks/import.ts";
import type { SourceNames } from "../tasks/import-rules.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { quoted } from "../tasks/names.ts";
import { problemText } from "../tasks/problem.ts";
import { readTasks } from "../tasks/read.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";
import {
  differences,
  type FoundTask,
  idOf,
  mappingsChange,
  settingsNotes,
  wildcardNote,
} from "./differences.ts";
import { readSettings } from "./settings.ts";
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
  return { text: imported.text, tasks, kept, notes, losses };
}

function asOldTask({ id, rules, target }: FoundTask): Json {
  return { task_id: id, "table-mappings": { rules }, target_endpoint_key: target.text("endpoint_id") };
}

/** The file's order, then what only the state has. */
function inOrderOf(inFile: readonly Json[], tasks: readonly OldTask[]): OldTask[] {
  const place = new Map(inFile.map((old, index) => [idOf(old), index]));
  const at = ({ id }: OldTask) => place.get(id) ?? inFile.length;
  return [...tasks].sort((left, right) => at(left) - at(right));
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
