/** The schema and the types say the same: the compiler holds one side of these lists, the test the other. */
import { expect, test } from "bun:test";
import schema from "../../schemas/tasks.schema.json";
import type {
  Collection,
  Defaults,
  EnvironmentName,
  FullLoadSettings,
  LobSettings,
  ParallelLoad,
  Task,
  TaskOverride,
  TaskSettings,
  TasksFile,
} from "./model.ts";

type Keys<T> = Record<keyof Required<T>, "needed" | "optional">;

const tasksFile: Keys<TasksFile> = {
  version: "needed",
  defaults: "optional",
  targetEndpoints: "optional",
  tasks: "needed",
};
const defaults: Keys<Defaults> = { owners: "optional", running: "optional", settings: "optional" };
const task: Keys<Task> = {
  id: "needed",
  database: "needed",
  collections: "needed",
  owners: "optional",
  running: "optional",
  settings: "optional",
  environments: "optional",
};
const collection: Keys<Collection> = {
  name: "needed",
  renamedFrom: "optional",
  loadOrder: "optional",
  parallelLoad: "optional",
};
const parallelLoad: Keys<ParallelLoad> = { partitions: "optional", boundaries: "optional" };
const environments: Record<EnvironmentName, "optional"> = {
  dev: "optional",
  qa: "optional",
  prod: "optional",
};
const override: Keys<TaskOverride> = { running: "optional", settings: "optional" };
const settings: Keys<TaskSettings> = {
  targetPreparation: "optional",
  lob: "optional",
  fullLoad: "optional",
  parallelLoad: "optional",
};
const lob: Keys<LobSettings> = { mode: "needed", maxKilobytes: "optional", chunkKilobytes: "optional" };
const fullLoad: Keys<FullLoadSettings> = { parallelCollections: "optional", commitRate: "optional" };
const modes: Record<LobSettings["mode"], true> = { full: true, limited: true };
const preparations: Record<NonNullable<TaskSettings["targetPreparation"]>, true> = {
  "do-nothing": true,
  "drop-tables": true,
};

interface ObjectSchema {
  readonly properties: object;
  readonly required?: readonly string[];
}

const { $defs } = schema;
const pairs: readonly (readonly [string, ObjectSchema, Readonly<Record<string, string>>])[] = [
  ["the file", schema, tasksFile],
  ["defaults", schema.properties.defaults, defaults],
  ["task", $defs.task, task],
  ["collection", $defs.collection, collection],
  ["parallelLoad", $defs.collection.properties.parallelLoad, parallelLoad],
  ["environments", $defs.task.properties.environments, environments],
  ["override", $defs.override, override],
  ["settings", $defs.settings, settings],
  ["lob", $defs.settings.properties.lob, lob],
  ["fullLoad", $defs.settings.properties.fullLoad, fullLoad],
];

test.each(pairs)(
  "%s has the keys of its type, the same ones needed",
  (_, { properties, required = [] }, keys) => {
    expect(Object.keys(properties).sort()).toEqual(Object.keys(keys).sort());
    const needed = Object.keys(keys).filter((key) => keys[key] === "needed");
    expect([...required].sort()).toEqual(needed.sort());
  },
);

test("the words a setting may have are those of its type", () => {
  expect($defs.settings.properties.lob.properties.mode.enum.sort()).toEqual(Object.keys(modes).sort());
  expect($defs.settings.properties.targetPreparation.enum.sort()).toEqual(Object.keys(preparations).sort());
});

interface Property {
  readonly $ref?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly items?: Property;
}

/** What an editor shows for a key: its own words, or those of what it refers to. */
function target(property: Property): Property {
  const name = property.$ref?.split("/").at(-1);
  return name ? ($defs[name as keyof typeof $defs] as Property) : property;
}

function* propertiesOf(path: string, node: Property): Generator<readonly [string, Property]> {
  for (const [key, property] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${key}`, target(property)];
    yield* propertiesOf(`${path}.${key}`, target(property));
  }
  if (node.items) yield* propertiesOf(`${path}[]`, target(node.items));
}

test("an editor can explain every key: each has a description, and each value an example", () => {
  const all = [...propertiesOf("", schema as unknown as Property)];
  const bare = all.filter(([, { description }]) => !description).map(([path]) => path);
  const leaves = all.filter(([, { properties, items }]) => !properties && !items);
  const shown = leaves.filter(([, { examples }]) => !examples?.length).map(([path]) => path);
  expect([...bare, ...shown]).toEqual([]);
  expect(all.length).toBeGreaterThan(30);
});
