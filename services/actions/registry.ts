import type { ActionName } from "../../core/actions/catalog.ts";
import type { Action } from "./action.ts";

/** Each action's code is loaded when it is asked for, so that looking at a unit does not load the drivers. */
const actions: Readonly<Record<ActionName, () => Promise<{ readonly run: Action }>>> = {
  inspect: () => import("./inspect.ts"),
  preflight: () => import("./preflight.ts"),
  "record-identity": () => import("./record-identity.ts"),
  readiness: () => import("./readiness.ts"),
  "check-start": () => import("./check-start.ts"),
  "demote-writers": () => import("./demote-writers.ts"),
  "enable-change-streams": () => import("./enable-change-streams.ts"),
  "start-service": () => import("./start-service.ts"),
  "start-backup-service": () => import("./start-backup-service.ts"),
  "set-backup-schedule": () => import("./set-backup-schedule.ts"),
  "stop-service": () => import("./stop-service.ts"),
  "service-status": () => import("./service-status.ts"),
  "service-logs": () => import("./service-logs.ts"),
  canary: () => import("./canary.ts"),
  "grant-writers": () => import("./grant-writers.ts"),
  "show-access": () => import("./show-access.ts"),
  "check-restore": () => import("./check-restore.ts"),
  drain: () => import("./drain.ts"),
  "close-mongodb": () => import("./close-mongodb.ts"),
  "check-clean": () => import("./check-clean.ts"),
  "reopen-mongodb": () => import("./reopen-mongodb.ts"),
  "check-resume": () => import("./check-resume.ts"),
  "restore-roles": () => import("./restore-roles.ts"),
  "abort-cleanup": () => import("./abort-cleanup.ts"),
  "check-credentials": () => import("./check-credentials.ts"),
  "prepare-credentials": () => import("./prepare-credentials.ts"),
  "promote-credentials": () => import("./promote-credentials.ts"),
  "abandon-credentials": () => import("./abandon-credentials.ts"),
  "remove-old-user": () => import("./remove-old-user.ts"),
  "upgrade-worker": () => import("./upgrade-worker.ts"),
  "source-position": () => import("./source-position.ts"),
  "kafka-status": () => import("./kafka-status.ts"),
  "kafka-prepare": () => import("./kafka-prepare.ts"),
  "kafka-start": () => import("./kafka-start.ts"),
  "kafka-restart": () => import("./kafka-restart.ts"),
  "kafka-quorum": () => import("./kafka-quorum.ts"),
  "kafka-brokers": () => import("./kafka-brokers.ts"),
  "kafka-topic": () => import("./kafka-topic.ts"),
  "kafka-message": () => import("./kafka-message.ts"),
};

/** The code of an action of the catalog. */
export async function loadAction(name: string): Promise<Action> {
  return (await actions[name as ActionName]()).run;
}
