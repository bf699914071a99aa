import { accountPattern, rotationChanges, usernamePattern } from "../credentials/accounts.ts";

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

/** Units a runner may start and stop on the failback host. */
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

/** Units of the operations host: backups of MongoDB, metrics. */
export const operationsUnits: readonly string[] = [
  "mongodb-backup.service",
  "verify-backup.service",
  "oplog-archive.service",
  "restore-backup.service",
  "backup-schedule.service",
  "dr-test.service",
  "publish-metrics.service",
];

/** Units a runner may look at and read the journal of; nothing else on a host is reachable. */
export const shownUnitParameter: ActionParameter = {
  ...unitParameter,
  allowedValues: [...(unitParameter.allowedValues ?? []), ...operationsUnits],
};

/** Units of backups that a runner may start, on the operations host. */
export const backupUnitParameter: ActionParameter = {
  name: "unit",
  description: "Unit of backups.",
  allowedValues: [
    "mongodb-backup.service",
    "verify-backup.service",
    "restore-backup.service",
    "dr-test.service",
  ],
};

export const scheduleParameter: ActionParameter = {
  name: "schedule",
  description: "When backups run: five fields of cron, in UTC; default for the environment's own.",
  allowedPattern: "^(default|[0-9A-Za-z*][0-9A-Za-z*,/-]*( [0-9A-Za-z*][0-9A-Za-z*,/-]*){4})$",
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

/** What the DMS source endpoint names its user by; `-` for what it doesn't. */
export const sourceUserParameters: readonly ActionParameter[] = [
  {
    name: "source-secret",
    description: "Name or ARN of the secret the DMS source endpoint reads; - for none.",
    allowedPattern: "^(-|[A-Za-z0-9/_+=.@:][A-Za-z0-9/_+=.@:-]{0,511})$",
    default: "-",
  },
  {
    name: "source-user",
    description: "User the DMS source endpoint names in place of a secret; - for none.",
    allowedPattern: "^(-|[A-Za-z0-9_.@][A-Za-z0-9_.@-]{0,127})$",
    default: "-",
  },
  {
    name: "source-auth-database",
    description: "Database the DMS source endpoint authenticates against.",
    allowedPattern: `^${databaseName}$`,
    default: "admin",
  },
];

export const forceParameter: ActionParameter = {
  name: "force",
  description: "Why to start although MongoDB answers or a user can already write; - when nothing is forced.",
  allowedPattern: "^(-|[A-Za-z0-9][A-Za-z0-9 .,:;_/()#-]{0,199})$",
  default: "-",
};

export const releaseKeyParameter: ActionParameter = {
  name: "key",
  description: "Key of the worker in the bucket of releases, as release.json has it.",
  allowedPattern: "^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$",
};

export const releaseSha256Parameter: ActionParameter = {
  name: "sha256",
  description: "Its checksum, as release.json has it.",
  allowedPattern: "^[0-9a-f]{64}$",
};

export const linesParameter: ActionParameter = {
  name: "lines",
  description: "How many lines, from the end.",
  allowedPattern: "^[1-9][0-9]{0,2}$",
  default: "100",
};

export const accountParameter: ActionParameter = {
  name: "account",
  description: "Whose credentials: replication, or application:NAME of an application user.",
  allowedPattern: accountPattern,
};

export const changeParameter: ActionParameter = {
  name: "change",
  description: "What is renewed: the user and its password, or the password alone.",
  allowedValues: rotationChanges,
};

export const usernameParameter: ActionParameter = {
  name: "username",
  description: "Name of the second user; - for the one that takes turns with the user now.",
  allowedPattern: usernamePattern,
  default: "-",
};

export const oldUsernameParameter: ActionParameter = {
  name: "old-username",
  description: "The user to remove, as the rotation's summary names it.",
  allowedPattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
};

export const abandonParameter: ActionParameter = {
  name: "give-up",
  description:
    "pending: credentials that were not promoted; current: those that were, back to the ones before.",
  allowedValues: ["pending", "current"],
};

export const operationParameter: ActionParameter = {
  name: "operation",
  description: "Id of the operation this belongs to: the same one makes one version of a secret.",
  allowedPattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$",
};

export const sinceParameter: ActionParameter = {
  name: "since",
  description: "Cluster time as seconds:increment from which changes in scope are counted; - to count none.",
  allowedPattern: "^(-|[0-9]{1,10}:[0-9]{1,10})$",
  default: "-",
};

/** Which of Kafka's nodes the action runs on. */
export const kafkaNodeParameter: ActionParameter = {
  name: "node",
  description: "Id of this node in the cluster.",
  allowedPattern: "^[1-9]$",
};

const kafkaNode = "[1-9]=[0-9]{1,3}([.][0-9]{1,3}){3}";

export const kafkaNodesParameter: ActionParameter = {
  name: "nodes",
  description: "Every node of the cluster, as Terraform published them: id=address, with commas between.",
  allowedPattern: `^${kafkaNode}(,${kafkaNode}){1,8}$`,
};

export const kafkaUnitParameter: ActionParameter = {
  name: "unit",
  description: "Unit of the node.",
  allowedValues: ["zookeeper.service", "kafka.service"],
};

export const kafkaMessageParameter: ActionParameter = {
  name: "message",
  description: "What the message says, to be known again.",
  allowedPattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$",
};
