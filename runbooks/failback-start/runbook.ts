import { writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { currentKey, keysOf } from "../../core/failback/layout.ts";
import type { Runbook, Step } from "../engine/runbook.ts";
import { actionStep, startUnitStep } from "../steps/action-step.ts";
import { hostReady } from "../steps/host.ts";
import { recordTasks, tablesLoaded, tasksStopped } from "../steps/replication-tasks.ts";

/** Freezes the scope before anything is asked about it; a rerun keeps the first. */
const freezeScope: Step = {
  name: "freeze-scope",
  what: "freeze what this failback carries back: databases, collections, application users",
  undo: "failback-abort",
  plan: ({ failbackId }) => [{ call: "S3 PutObject If-None-Match", target: keysOf(failbackId).scope }],
  run: async ({ store, failbackId, scope }) => {
    try {
      await writeJson(store, keysOf(failbackId).scope, scope, { ifNoneMatch: true });
    } catch (error) {
      if (!isPrecondition(error)) throw error;
    }
    const collections = scope.databases.reduce((sum, database) => sum + database.collections.length, 0);
    return { note: `${scope.databases.length} database(s), ${collections} collection(s) at ${scope.commit}` };
  },
};

/** From here on whatever could start DMS or write to a database is refused elsewhere. */
const openFailback: Step = {
  name: "open",
  what: "open the failback: phase capturing, everything else that writes is refused",
  undo: "failback-abort",
  plan: () => [{ call: "S3 PutObject If-Match", target: currentKey, parameters: { phase: "capturing" } }],
  run: async ({ phases, failbackId, caller }) => {
    const current = await phases.open(failbackId, caller.actor);
    return { note: `failback ${failbackId}, phase ${current.phase}` };
  },
};

export const failbackStart: Runbook = {
  name: "failback-start",
  summary: "MongoDB has failed: capture every write, then let the applications write to DocumentDB.",
  opens: true,
  phases: ["normal", "capturing"],
  inputs: [
    {
      name: "application-users",
      description: "application users, comma-separated; all that the environment names when left out",
      pattern: /^[A-Za-z0-9_.@-]+(,[A-Za-z0-9_.@-]+)*$|^$/,
      default: "",
    },
    {
      name: "allow-remove",
      description: "applications may delete documents",
      pattern: /^(true|false)$/,
      default: "false",
    },
    {
      name: "stop-tasks",
      description: "stop DMS tasks that still run, instead of refusing",
      pattern: /^(true|false)$/,
      default: "false",
    },
    {
      name: "force",
      description:
        "reason to start although MongoDB answers or an application user can already write; - for none",
      pattern: /^[A-Za-z0-9 ,.:;_()-]{1,200}$/,
      default: "-",
    },
  ],
  steps: [
    tasksStopped,
    tablesLoaded,
    hostReady,
    freezeScope,
    actionStep({
      name: "check-start",
      what: "check the preconditions on both databases, the bucket and the secrets",
      undo: "nothing was changed",
      action: "check-start",
      parameters: ({ inputs }) => ({ force: inputs.force ?? "-" }),
    }),
    openFailback,
    recordTasks,
    actionStep({
      name: "demote-writers",
      what: "take write rights from every listed writer on DocumentDB and prove each refusal",
      undo: "failback-abort gives the old roles back",
      action: "demote-writers",
    }),
    actionStep({
      name: "enable-change-streams",
      what: "enable change streams, see that they are on, keep the start point in S3",
      undo: "failback-abort or failback-clean disable them",
      action: "enable-change-streams",
    }),
    startUnitStep({
      name: "start-replication",
      what: "start capturing",
      undo: "failback-abort stops it",
      unit: "replication.service",
      every: true,
    }),
    actionStep({
      name: "canary",
      what: "write a canary to DocumentDB and find it in the log",
      undo: "nothing to undo: a control document",
      action: "canary",
    }),
    actionStep({
      name: "grant-writers",
      what: "let the application users write, now that capture is proved",
      undo: "failback-restore takes the rights away again",
      action: "grant-writers",
      parameters: ({ inputs }) => ({ allowRemove: inputs["allow-remove"] ?? "false" }),
    }),
  ],
  next: "the applications may write to DocumentDB. When MongoDB is back: failback-restore",
};
