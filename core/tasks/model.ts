/** The environments a task can differ in; one `*.tfvars` each. */
export const environmentNames = ["dev", "qa", "prod"] as const;
export type EnvironmentName = (typeof environmentNames)[number];

/** Where removing a database or a collection from tasks.yaml also drops it on DocumentDB. Anywhere else it is kept. */
export const droppingEnvironments: readonly string[] = ["dev", "qa"];

export interface ParallelLoad {
  readonly partitions?: number;
  readonly boundaries?: readonly string[];
}

export interface Collection {
  readonly name: string;
  readonly renamedFrom?: string;
  readonly loadOrder?: number;
  readonly parallelLoad?: ParallelLoad;
}

export interface LobSettings {
  readonly mode: "full" | "limited";
  readonly maxKilobytes?: number;
  readonly chunkKilobytes?: number;
}

export interface FullLoadSettings {
  readonly parallelCollections?: number;
  readonly commitRate?: number;
}

export interface TaskSettings {
  readonly targetPreparation?: "do-nothing" | "drop-tables";
  readonly lob?: LobSettings;
  readonly fullLoad?: FullLoadSettings;
  readonly parallelLoad?: { readonly partitions: number };
}

export interface TaskOverride {
  readonly running?: boolean;
  readonly settings?: TaskSettings;
}

export interface Defaults extends TaskOverride {
  readonly owners?: readonly string[];
}

export interface Task extends Defaults {
  readonly id: string;
  readonly database: string;
  /** Names in the file are turned into objects when it is read. */
  readonly collections: readonly Collection[];
  readonly environments?: Readonly<Partial<Record<EnvironmentName, TaskOverride>>>;
}

/** `tasks.yaml` after reading: by schemas/tasks.schema.json and every rule of `rules/`. */
export interface Tasks {
  readonly version: 1;
  readonly defaults?: Defaults;
  /** Database to DMS endpoint identifier, where it isn't the derived one. */
  readonly targetEndpoints?: Readonly<Record<string, string>>;
  readonly tasks: readonly Task[];
}

/** The same file as YAML gives it, before collections are made objects. */
export interface TasksFile extends Omit<Tasks, "tasks"> {
  readonly tasks: readonly TaskEntry[];
}

export interface TaskEntry extends Omit<Task, "collections"> {
  readonly collections: readonly (string | Collection)[];
}

/** The name of a collection as the file writes it. */
export function nameOf(entry: string | Collection): string {
  return typeof entry === "string" ? entry : entry.name;
}
