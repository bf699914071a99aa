import type { Phase } from "../failback/phase.ts";
import {
  type ActionParameter,
  abandonParameter,
  accountParameter,
  anyDatabasesParameter,
  backupUnitParameter,
  changeParameter,
  countsParameter,
  databasesParameter,
  flagParameter,
  forceParameter,
  kafkaMessageParameter,
  kafkaNodeParameter,
  kafkaNodesParameter,
  kafkaUnitParameter,
  linesParameter,
  oldUsernameParameter,
  operationParameter,
  releaseKeyParameter,
  releaseSha256Parameter,
  scheduleParameter,
  shownUnitParameter,
  sinceParameter,
  sourceUserParameters,
  unitParameter,
  usernameParameter,
} from "./parameter.ts";

/** What is known of an action without running it; SSM documents and the runbooks' plans are made from it. */
export interface ActionMetadata {
  readonly name: string;
  readonly summary: string;
  /** False: the action is about the host or about normal times, and takes no failback. */
  readonly failback: boolean;
  /** Phases it is allowed in; `any` for those that only look. */
  readonly phases: readonly Phase[] | "any";
  readonly parameters: readonly ActionParameter[];
  /** Bound of the whole run, as SSM enforces it. */
  readonly timeoutSeconds: number;
}

const open: readonly Phase[] = ["capturing", "draining", "restoring", "verified", "cleaned"];

export const actionCatalog = [
  {
    name: "inspect",
    summary:
      "Reads what stands on both servers (databases, collections, users) into the bucket; changes nothing.",
    failback: false,
    phases: "any",
    parameters: [anyDatabasesParameter, countsParameter],
    timeoutSeconds: 300,
  },
  {
    name: "preflight",
    summary:
      "Reads into the bucket what only the host sees of an environment before it is used; changes nothing.",
    failback: false,
    phases: "any",
    parameters: [anyDatabasesParameter, ...sourceUserParameters],
    timeoutSeconds: 300,
  },
  {
    name: "readiness",
    summary: "Finds out whether a failback would succeed now; in normal times it refreshes who MongoDB is.",
    failback: false,
    phases: "any",
    parameters: [databasesParameter],
    timeoutSeconds: 300,
  },
  {
    name: "record-identity",
    summary: "Records who MongoDB is (set, oplog, catalog) while all is well.",
    failback: false,
    phases: ["normal"],
    parameters: [databasesParameter],
    timeoutSeconds: 300,
  },
  {
    name: "check-start",
    summary: "Checks, one by one, what must hold before a failback starts (invariant 6).",
    failback: true,
    phases: ["normal", "capturing"],
    parameters: [forceParameter],
    timeoutSeconds: 300,
  },
  {
    name: "demote-writers",
    summary:
      "Takes write rights from every principal in scope on DocumentDB, each refusal proved (invariants 1 and 2).",
    failback: true,
    phases: ["capturing"],
    parameters: [],
    timeoutSeconds: 600,
  },
  {
    name: "enable-change-streams",
    summary: "Enables change streams for the cluster, verifies it, and fixes the start point (invariant 3).",
    failback: true,
    phases: ["capturing"],
    parameters: [],
    timeoutSeconds: 300,
  },
  {
    name: "start-service",
    summary: "Starts a unit of the worker and returns at once.",
    failback: true,
    phases: open,
    parameters: [unitParameter],
    timeoutSeconds: 120,
  },
  {
    name: "start-backup-service",
    summary: "Starts a unit of backups on the operations host and returns when it has begun.",
    failback: false,
    phases: ["normal"],
    parameters: [backupUnitParameter],
    timeoutSeconds: 120,
  },
  {
    name: "set-backup-schedule",
    summary: "Keeps the schedule of backups in the bucket and gives it to this host's timer.",
    failback: false,
    phases: ["normal"],
    parameters: [scheduleParameter],
    timeoutSeconds: 120,
  },
  {
    name: "stop-service",
    summary: "Stops a unit of the worker and waits until it has stopped.",
    failback: true,
    phases: open,
    parameters: [unitParameter],
    timeoutSeconds: 180,
  },
  {
    name: "service-status",
    summary: "Shows what systemd says of a unit of the worker.",
    failback: false,
    phases: "any",
    parameters: [shownUnitParameter],
    timeoutSeconds: 60,
  },
  {
    name: "service-logs",
    summary: "Shows the end of a unit's journal.",
    failback: false,
    phases: "any",
    parameters: [shownUnitParameter, linesParameter],
    timeoutSeconds: 60,
  },
  {
    name: "upgrade-worker",
    summary:
      "Puts another version of the worker in place, by its checksum, and the old one back where capture does not come up.",
    failback: false,
    phases: ["normal", "capturing", "verified", "cleaned"],
    parameters: [releaseKeyParameter, releaseSha256Parameter],
    timeoutSeconds: 900,
  },
  {
    name: "canary",
    summary:
      "Proves that capture sees writes: a canary written to DocumentDB is found in the log (invariant 4).",
    failback: true,
    // Also before `failback-reopen` gives DocumentDB its writers back.
    phases: ["capturing", "draining", "restoring"],
    parameters: [],
    timeoutSeconds: 300,
  },
  {
    name: "grant-writers",
    summary:
      "Gives the application users find, insert, update (and remove) on the scope's databases (invariant 5).",
    failback: true,
    phases: ["capturing"],
    parameters: [flagParameter("allow-remove", "Whether the application users may also delete.", "false")],
    timeoutSeconds: 300,
  },
  {
    name: "show-access",
    summary: "Shows who may write where, on both sides (invariant 25).",
    failback: true,
    phases: "any",
    parameters: [],
    timeoutSeconds: 120,
  },
  {
    name: "check-restore",
    summary: "Checks, one by one, what must hold before users lose their writes (invariants 13 and 14).",
    failback: true,
    phases: ["capturing", "draining", "restoring"],
    parameters: [],
    timeoutSeconds: 300,
  },
  {
    name: "drain",
    summary: "Makes the application users read-only, proves it, and writes the fence (invariant 12).",
    failback: true,
    phases: ["draining"],
    parameters: [
      flagParameter(
        "kill-operations",
        "Whether operations still in flight are killed after the wait.",
        "false",
      ),
    ],
    timeoutSeconds: 1800,
  },
  {
    name: "close-mongodb",
    summary:
      "Closes MongoDB to writers, proved by a refused write, and switches TTL deletion off (invariant 15).",
    failback: true,
    phases: ["capturing", "draining", "restoring"],
    parameters: [],
    timeoutSeconds: 600,
  },
  {
    name: "check-clean",
    summary: "Checks that the verdict is PROVEN and that nothing was written since (invariants 22 and 27).",
    failback: true,
    phases: ["verified"],
    parameters: [],
    timeoutSeconds: 300,
  },
  {
    name: "reopen-mongodb",
    summary: "Opens MongoDB to its writers again after PROVEN, roles and TTL deletion back (invariant 25).",
    failback: true,
    phases: ["verified", "cleaned"],
    parameters: [],
    timeoutSeconds: 600,
  },
  {
    name: "check-resume",
    summary:
      "Decides how DMS goes on: resume while its checkpoint is in the oplog, else reload (invariant 28).",
    failback: true,
    phases: ["verified", "cleaned"],
    parameters: [],
    timeoutSeconds: 300,
  },
  {
    name: "restore-roles",
    summary: "Gives the users demoted at the start their roles back on DocumentDB (invariant 25).",
    failback: true,
    phases: ["verified", "cleaned"],
    parameters: [
      flagParameter("application-users", "Whether the application users get their old roles too.", "false"),
    ],
    timeoutSeconds: 300,
  },
  {
    name: "abort-cleanup",
    summary: "Undoes a start nobody wrote through: roles back, change streams off (invariant 26).",
    failback: true,
    phases: ["capturing"],
    parameters: [],
    timeoutSeconds: 600,
  },
  {
    name: "check-credentials",
    summary: "Checks, one by one, what must hold before the credentials of a user of DocumentDB are renewed.",
    failback: false,
    phases: ["normal"],
    parameters: [accountParameter, changeParameter, usernameParameter, operationParameter],
    timeoutSeconds: 120,
  },
  {
    name: "prepare-credentials",
    summary:
      "Keeps new credentials as a pending version of the secret, and makes the second user with the roles of the first.",
    failback: false,
    phases: ["normal"],
    parameters: [accountParameter, changeParameter, usernameParameter, operationParameter],
    timeoutSeconds: 180,
  },
  {
    name: "promote-credentials",
    summary: "Proves a login with the pending credentials and makes them the secret's current version.",
    failback: false,
    phases: ["normal"],
    parameters: [accountParameter, operationParameter],
    timeoutSeconds: 180,
  },
  {
    name: "abandon-credentials",
    summary:
      "Gives up new credentials: those that are pending, or goes back from the current ones to those before.",
    failback: false,
    phases: ["normal"],
    parameters: [accountParameter, abandonParameter],
    timeoutSeconds: 120,
  },
  {
    name: "remove-old-user",
    summary: "Removes the old user of a rotation from DocumentDB, when nothing is connected as it.",
    failback: false,
    phases: ["normal"],
    parameters: [accountParameter, oldUsernameParameter],
    timeoutSeconds: 120,
  },
  {
    name: "source-position",
    summary: "Shows what MongoDB's oplog holds, and counts the changes in scope behind a time.",
    failback: false,
    phases: "any",
    parameters: [databasesParameter, sinceParameter],
    timeoutSeconds: 120,
  },
  {
    name: "kafka-status",
    summary: "Shows whether a Kafka node is prepared and what its units do; changes nothing.",
    failback: false,
    phases: "any",
    parameters: [],
    timeoutSeconds: 60,
  },
  {
    name: "kafka-prepare",
    summary: "Brings a Kafka node's configuration to what Terraform published, and checks that it is.",
    failback: false,
    phases: "any",
    parameters: [kafkaNodeParameter, kafkaNodesParameter],
    timeoutSeconds: 1800,
  },
  {
    name: "kafka-start",
    summary: "Starts ZooKeeper or Kafka on a node, now and at each boot; one that runs stays as it is.",
    failback: false,
    phases: "any",
    parameters: [kafkaUnitParameter, kafkaNodeParameter],
    timeoutSeconds: 120,
  },
  {
    name: "kafka-restart",
    summary:
      "Gives ZooKeeper or Kafka on a node its new configuration, when the others can do without it meanwhile.",
    failback: false,
    phases: "any",
    parameters: [kafkaUnitParameter, kafkaNodeParameter, kafkaNodesParameter],
    timeoutSeconds: 1500,
  },
  {
    name: "kafka-quorum",
    summary: "Waits until every ZooKeeper answers and exactly one leads.",
    failback: false,
    phases: "any",
    parameters: [kafkaNodesParameter],
    timeoutSeconds: 180,
  },
  {
    name: "kafka-brokers",
    summary: "Waits until every broker is registered and one is the controller.",
    failback: false,
    phases: "any",
    parameters: [kafkaNodesParameter],
    timeoutSeconds: 300,
  },
  {
    name: "kafka-topic",
    summary: "Makes the topic oplog-backup, or checks the one there is, and shows who leads it.",
    failback: false,
    phases: "any",
    parameters: [kafkaNodesParameter],
    timeoutSeconds: 300,
  },
  {
    name: "kafka-message",
    summary: "Proves the cluster: a message that every copy in sync has acknowledged is consumed again.",
    failback: false,
    phases: "any",
    parameters: [kafkaNodesParameter, kafkaMessageParameter],
    timeoutSeconds: 300,
  },
] as const satisfies readonly ActionMetadata[];

export type ActionName = (typeof actionCatalog)[number]["name"];
