import { createHash } from "node:crypto";
import type { Collection, Task } from "./model.ts";

/** A rule of DMS's table mappings, as its API takes it. */
export interface MappingRule {
  readonly "rule-type": "selection" | "table-settings";
  readonly "rule-id": string;
  readonly "rule-name": string;
  readonly "object-locator": { readonly "schema-name": string; readonly "table-name": string };
  readonly "rule-action"?: "explicit";
  readonly "load-order"?: string;
  readonly "parallel-load"?: Readonly<Record<string, unknown>>;
}

export interface TableMappings {
  readonly rules: readonly MappingRule[];
}

/** DMS's own console makes ids of this many digits. */
const idRange = 1_000_000_000;

/**
 * The table mappings of a task: one selection rule a collection, `explicit`, because under `include` a `_` or `%` in a
 * name would match others. Ids come from names, so that adding a collection adds its rules and changes no other.
 * `partitions` is the task's own setting, for collections without one.
 */
export function tableMappings(task: Pick<Task, "database" | "collections">, partitions = 1): TableMappings {
  const taken = new Set<string>();
  // In the order of UTF-8, as Terraform sorts: it generates the same rules (terraform/modules/task-config).
  const collections = [...task.collections].sort((left, right) =>
    Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)),
  );
  const selections = collections.map((collection) => selectionOf(task.database, collection, taken));
  const settings = collections.flatMap((collection) => {
    const load = parallelLoadOf(collection, partitions);
    if (!load) return [];
    const id = ruleId(`table-settings ${task.database}.${collection.name}`, taken);
    return [
      {
        "rule-type": "table-settings" as const,
        "rule-id": id,
        "rule-name": id,
        "object-locator": { "schema-name": task.database, "table-name": collection.name },
        "parallel-load": load,
      },
    ];
  });
  return { rules: [...selections, ...settings] };
}

function selectionOf(database: string, collection: Collection, taken: Set<string>): MappingRule {
  const id = ruleId(`selection ${database}.${collection.name}`, taken);
  return {
    "rule-type": "selection",
    "rule-id": id,
    "rule-name": id,
    "object-locator": { "schema-name": database, "table-name": collection.name },
    "rule-action": "explicit",
    ...(collection.loadOrder === undefined ? {} : { "load-order": String(collection.loadOrder) }),
  };
}

function parallelLoadOf(collection: Collection, partitions: number): Record<string, unknown> | undefined {
  const { boundaries, partitions: own = partitions } = collection.parallelLoad ?? {};
  if (boundaries)
    return { type: "ranges", columns: ["_id"], boundaries: boundaries.map((boundary) => [boundary]) };
  return own > 1 ? { type: "partitions-auto", "number-of-partitions": own } : undefined;
}

/** Unique in the task, from 1 up: two names that meet (once in some hundred million) take the next free number. */
function ruleId(text: string, taken: Set<string>): string {
  let number = createHash("sha256").update(text).digest().readUIntBE(0, 6) % idRange;
  while (taken.has(String(number + 1))) number = (number + 1) % idRange;
  taken.add(String(number + 1));
  return String(number + 1);
}
