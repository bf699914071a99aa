import Ajv2020 from "ajv/dist/2020.js";
import { parseDocument } from "yaml";
import schema from "../../schemas/tasks.schema.json" with { type: "json" };
import { RoundtripError } from "../errors.ts";

export interface Task {
  readonly id: string;
  readonly database: string;
  readonly owners?: readonly string[];
  readonly collections: readonly string[];
}

export interface Tasks {
  readonly version: 1;
  readonly tasks: readonly Task[];
}

const validate = new Ajv2020({ allErrors: true, strict: true }).compile<Tasks>(schema);

/** Parses `tasks.yaml`. Fails with kind `configuration`, every violation in one message. */
export function parseTasks(text: string, file = "tasks.yaml"): Tasks {
  const document = parseDocument(text, { uniqueKeys: true });
  const broken = document.errors.map((error) => error.message.split("\n")[0] ?? error.code);
  const value: unknown = broken.length > 0 ? undefined : document.toJS({ maxAliasCount: 50 });
  if (broken.length === 0 && validate(value)) return value;
  const violations = (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`);
  throw new RoundtripError({
    kind: "configuration",
    what: `read ${file}`,
    expected: "a file by schemas/tasks.schema.json",
    got: [...broken, ...violations].join("; "),
    wayOut: "mend what is named and run this again",
  });
}

/** Databases with their collections, as a failback's scope has them: each once, sorted. */
export function databasesOf(tasks: Tasks): { name: string; collections: string[] }[] {
  const byName = new Map<string, Set<string>>();
  for (const task of tasks.tasks) {
    const collections = byName.get(task.database) ?? new Set<string>();
    for (const collection of task.collections) collections.add(collection);
    byName.set(task.database, collections);
  }
  return [...byName]
    .map(([name, collections]) => ({ name, collections: [...collections].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
