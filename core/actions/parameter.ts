/** One parameter of an action: `--allow-remove` on the command line, `allowRemove` in the SSM document. */
export interface ActionParameter {
  /** As on the command line, without the dashes: kebab-case. */
  readonly name: string;
  readonly description: string;
  /** Anchored, and in the part of the syntax that Java, Go (RE2) and JavaScript read alike. */
  readonly allowedPattern?: string;
  readonly allowedValues?: readonly string[];
  /** Taken when the parameter is not given; without one it must be given. */
  readonly default?: string;
}

/** The name in an SSM document, which admits letters and digits only: `allow-remove` is `allowRemove`. */
export function documentParameterName(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const failbackParameter: ActionParameter = {
  name: "failback-id",
  description: "Id of the open failback.",
  allowedPattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
};

const truth = ["true", "false"] as const;

export function flagParameter(
  name: string,
  description: string,
  fallback?: "true" | "false",
): ActionParameter {
  return { name, description, allowedValues: truth, ...(fallback ? { default: fallback } : {}) };
}

/** Units a runner may start, look at and read the journal of; nothing else on the host is reachable. */
export const unitParameter: ActionParameter = {
  name: "unit",
  description: "Unit of the worker.",
  allowedValues: [
    "replication.service",
    "backup.service",
    "monitor-replication.service",
    "restore.service",
    "monitor-restore.service",
    "clean.service",
    "monitor-clean.service",
  ],
};

/** Database names as MongoDB admits them, comma between. */
const databaseName = '[^/\\\\. "$*<>:|?,]{1,63}';

export const databasesParameter: ActionParameter = {
  name: "databases",
  description: "Databases of tasks.yaml, with commas between.",
  allowedPattern: `^${databaseName}(,${databaseName})*$`,
};

/** Like `databasesParameter`; `*`, which is in no database's name, stands for all but the server's own. */
export const anyDatabasesParameter: ActionParameter = {
  name: "databases",
  description:
    "Databases to look at, with commas between; * for all that aren't the server's or Roundtrip's own.",
  allowedPattern: `^([*]|${databaseName}(,${databaseName})*)$`,
  default: "*",
};

export const countsParameter: ActionParameter = {
  name: "counts",
  description:
    "Whether documents are counted one by one, as far as time allows, or the server's own number is taken.",
  allowedValues: ["estimated", "exact"],
  default: "estimated",
};

export const forceParameter: ActionParameter = {
  name: "force",
  description: "Why to start although MongoDB answers or a user can already write; - when nothing is forced.",
  allowedPattern: "^(-|[A-Za-z0-9][A-Za-z0-9 .,:;_/()#-]{0,199})$",
  default: "-",
};

export const linesParameter: ActionParameter = {
  name: "lines",
  description: "How many lines, from the end.",
  allowedPattern: "^[1-9][0-9]{0,2}$",
  default: "100",
};
