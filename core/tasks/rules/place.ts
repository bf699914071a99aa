import { type Collection, nameOf, type TasksFile } from "../model.ts";
import type { Finding, PathPart } from "../problem.ts";

/** A rule over the whole file: what the schema can't say because it looks at more than one place. */
export type Rule = (file: TasksFile, report: (finding: Finding) => void, places: readonly Place[]) => void;

/** A collection, and where it stands. */
export interface Place {
  readonly task: TasksFile["tasks"][number];
  readonly index: number;
  readonly entry: string | Collection;
  readonly item: number;
  readonly name: string;
}

/** Every collection of the file, gathered once for all rules. */
export function collectionsIn(file: TasksFile): Place[] {
  const places: Place[] = [];
  for (const [index, task] of file.tasks.entries())
    for (const [item, entry] of task.collections.entries())
      places.push({ task, index, entry, item, name: nameOf(entry) });
  return places;
}

export function pathOf({ index, item }: Place): PathPart[] {
  return ["tasks", index, "collections", item];
}
