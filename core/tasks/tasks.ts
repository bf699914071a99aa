import { RoundtripError } from "../errors.ts";
import type { Tasks } from "./model.ts";
import { problemText } from "./problem.ts";
import { readTasks } from "./read.ts";

export type { Tasks } from "./model.ts";

/** Parses `tasks.yaml`. Fails with kind `configuration`, every problem in one message, each with its line. */
export function parseTasks(text: string, file = "tasks.yaml"): Tasks {
  const { tasks, problems } = readTasks(text, file);
  if (tasks) return tasks;
  throw new RoundtripError({
    kind: "configuration",
    what: `read ${file}`,
    expected: "a file by schemas/tasks.schema.json",
    got: problems.map(problemText).join("\n"),
    wayOut: "mend what is named and run this again (roundtrip validate shows the same)",
  });
}

/** Databases with their collections, as a failback's scope has them: each once, sorted. */
export function databasesOf(tasks: Tasks): { name: string; collections: string[] }[] {
  const byName = new Map<string, Set<string>>();
  for (const task of tasks.tasks) {
    const collections = byName.get(task.database) ?? new Set<string>();
    for (const { name } of task.collections) collections.add(name);
    byName.set(task.database, collections);
  }
  return [...byName]
    .map(([name, collections]) => ({ name, collections: [...collections].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
