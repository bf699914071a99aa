import type { Collection, Defaults, Task, TaskEntry, TasksFile } from "./model.ts";
import { type Finding, type PathPart, pathText } from "./problem.ts";

/**
 * What can still be judged of a file the schema refuses, so that every problem is named at once. A part that is missing
 * or of the wrong type gets a stand-in no rule objects to; places in the lists stay as they are.
 */
export function salvage(value: unknown, refused: readonly Finding[]): TasksFile {
  const broken = refused.map(({ path }) => pathText(path));
  const sound = <T>(part: unknown, path: readonly PathPart[]): T | undefined => {
    const text = pathText(path);
    const touched = broken.some(
      (other) => other === text || (/^[.[]/.test(other.slice(text.length)) && other.startsWith(text)),
    );
    return part === undefined || touched ? undefined : (part as T);
  };
  const file = keysOf(value);
  const defaults = sound<Defaults>(file.defaults, ["defaults"]);
  const endpoints = sound<Record<string, string>>(file.targetEndpoints, ["targetEndpoints"]);
  const tasks = Array.isArray(file.tasks) ? file.tasks : [];
  return {
    version: 1,
    ...(defaults ? { defaults } : {}),
    ...(endpoints ? { targetEndpoints: endpoints } : {}),
    tasks: tasks.map((task, index) => salvageTask(keysOf(task), index, sound)),
  };
}

type Sound = <T>(part: unknown, path: readonly PathPart[]) => T | undefined;

function salvageTask(task: Readonly<Record<string, unknown>>, index: number, sound: Sound): TaskEntry {
  const settings = sound<Task["settings"]>(task.settings, ["tasks", index, "settings"]);
  const environments = sound<Task["environments"]>(task.environments, ["tasks", index, "environments"]);
  const collections: unknown[] = Array.isArray(task.collections) ? task.collections : [];
  return {
    id: textOr(task.id, `stand-in-${index}`),
    database: textOr(task.database, `stand_in_${index}`),
    collections: collections.map((entry, item) =>
      typeof entry === "string"
        ? entry
        : (sound<Collection>(entry, ["tasks", index, "collections", item]) ?? {
            name: textOr(keysOf(entry).name, `stand_in_${index}_${item}`),
          }),
    ),
    ...(settings ? { settings } : {}),
    ...(environments ? { environments } : {}),
  };
}

function textOr(value: unknown, standIn: string): string {
  return typeof value === "string" ? value : standIn;
}

function keysOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
