import { newestBackup } from "../../adapters/state/backups.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { OplogRun } from "../../core/backup/documents.ts";
import { dumpsPrefix, requestKey, runKey, statusKey } from "../../core/backup/layout.ts";
import { untilPattern } from "../../core/backup/point-in-time.ts";
import {
  type RestoreOutcome,
  type RestorePreview,
  type RestoreRequest,
  restoreKeys,
  restoreVerb,
} from "../../core/backup/restores.ts";
import { words } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check, ServiceStatus } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { followAt } from "../steps/await-service.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import { describeCalls, describeChosen, type OperationStep, required } from "../steps/selected-tasks.ts";
import { logOf, previewChecks, sayPreview } from "./preview.ts";

const unit = `${restoreVerb}.service`;
const previewSeconds = 1800;
/** A runner has 6 hours; a laptop may run this again as long as the host works. */
const watchSeconds = 5.5 * 3600;
const stopped = ["stopped", "failed", "ready"];

const isConfirmed = ({ inputs }: OperationContext) => inputs.confirm !== "-";
const isInPlace = ({ inputs }: OperationContext) => inputs.into === "in-place";

/** DMS would carry what a restore drops and inserts. A preview only says so. */
const tasksStopped: OperationStep = {
  name: "tasks-stopped",
  what: "in place: see that the environment is named, and that every DMS task is stopped",
  undo: "nothing was changed",
  every: true,
  plan: (context) => (isInPlace(context) ? describeCalls(context) : []),
  run: async (context) => {
    if (!isInPlace(context)) return { note: "beside: DMS does not see it" };
    const tasks = await describeChosen(context);
    const checks: Check[] = tasks.map(({ id, status }) => ({
      name: `DMS task ${id} is stopped`,
      ok: stopped.includes(status),
      expected: stopped.join(", "),
      got: status,
      wayOut: "run tasks-pause first",
    }));
    const { environment } = context.environment;
    const named = context.inputs["confirm-environment"] ?? "";
    checks.push({
      name: "the environment whose MongoDB is overwritten is named",
      ok: named === environment,
      expected: `confirm-environment=${environment}`,
      got: named,
      wayOut: `add the input confirm-environment=${environment}`,
    });
    if (isConfirmed(context)) return { checks: required(checks) };
    const open = checks.filter(({ ok }) => !ok);
    return {
      note: open.length > 0 ? `before it is confirmed: ${open.map(({ name }) => name).join("; ")}` : "",
    };
  },
};

const preview: OperationStep = {
  name: "preview",
  what: "have the host find out what would be dropped, made and replayed; nothing is changed",
  undo: "nothing was changed",
  plan: (context) => [
    { call: "S3 GetObject", target: `${dumpsPrefix}‹backup›/manifest.json` },
    { call: "S3 PutObject", target: requestKey(restoreVerb) },
    context.plannedAction("start-backup-service", { unit }),
    { call: "S3 GetObject", target: restoreKeys("‹restore›").preview },
  ],
  run: async (context) => {
    const { store, operationId } = context;
    await assertNoneAtWork(context);
    const request = await requestOf(context);
    await writeJson(store, requestKey(restoreVerb), request);
    const found = await start(context, previewSeconds, (status) =>
      status?.state === "finished" ? readPreview(context) : Promise.resolve(undefined),
    );
    sayPreview(context, found);
    const lag = (await readJson<OplogRun>(store, runKey("oplog")))?.value.lagSeconds;
    return {
      checks: previewChecks(found),
      data: {
        restore: operationId,
        digest: found.digest,
        request,
        ...(lag === undefined ? {} : { lagSeconds: lag }),
      },
      note: `digest ${found.digest}: ${summaryOf(found)}`,
    };
  },
};

const restore: OperationStep = {
  name: "restore",
  what: "with the preview's digest: check backup and log whole, then restore; without it nothing is changed",
  undo: "restore an earlier backup, or another time",
  every: true,
  plan: (context) => [
    { call: "S3 PutObject (once confirmed)", target: requestKey(restoreVerb) },
    context.plannedAction("start-backup-service", { unit }),
    { call: "S3 GetObject", target: statusKey(restoreVerb) },
    { call: "S3 GetObject", target: restoreKeys("‹restore›").outcome },
  ],
  run: async (context) => {
    const { digest, request } = (context.data("preview") ?? {}) as {
      digest: string;
      request: RestoreRequest;
    };
    const { confirm = "-" } = context.inputs;
    if (!isConfirmed(context)) {
      const next = `to restore what was previewed: run restore-backup again with the same inputs and confirm=${digest}`;
      return { note: "nothing was changed", headline: "PREVIEW ONLY, nothing was changed", next };
    }
    if (confirm !== digest) throw otherPreview(confirm, digest);
    const before = await outcomeOf(context);
    if (!before) await writeJson(context.store, requestKey(restoreVerb), { ...request, confirmed: confirm });
    const outcome = before ?? (await start(context, watchSeconds, () => outcomeOf(context)));
    if (outcome.differences.length > 0) throw differs(outcome);
    return {
      checks: outcomeChecks(outcome),
      data: { seconds: outcome.seconds },
      next: nextAfter(outcome),
      note: outcomeInWords(outcome),
    };
  },
};

/** Starts the unit, or finds it at its work, and follows it. */
async function start<T>(
  context: OperationContext,
  timeoutSeconds: number,
  done: (status: ServiceStatus | undefined) => Promise<T | undefined>,
): Promise<T> {
  const { data } = await context.action("start-backup-service", { unit });
  const followed = {
    services: [restoreVerb],
    keyOf: statusKey,
    since: String(data.startedAt),
    timeoutSeconds,
  };
  return followAt(context, followed, (statuses) => {
    const status = statuses.get(restoreVerb);
    return done(status && status.startedAt >= String(data.startedAt) ? status : undefined);
  });
}

async function requestOf(context: OperationContext): Promise<RestoreRequest> {
  const { store, inputs, environment, operationId, clock, caller } = context;
  const wanted = inputs.backup ?? "latest";
  const backupId = wanted === "latest" ? (await newestBackup(store))?.id : wanted;
  if (!backupId) throw noBackup();
  const secret = inputs.secret === "-" ? environment.backups?.scratchSecret : inputs.secret;
  if (!isInPlace(context) && !secret) throw noSecret(environment.environment);
  return {
    version: 1,
    id: operationId,
    environment: environment.environment,
    backupId,
    target: isInPlace(context) ? { kind: "in-place" } : { kind: "beside", secret: secret ?? "" },
    until: inputs.until ?? "",
    drop: inputs.drop === "true",
    requestedAt: clock.now().toISOString(),
    by: caller.actor,
  };
}

/** The host works on one request at a time: another one must not take its place. */
async function assertNoneAtWork({ store, operationId }: OperationContext): Promise<void> {
  const status = (await readJson<ServiceStatus>(store, statusKey(restoreVerb)))?.value;
  const ended = !status || ["finished", "failed", "stopped"].includes(status.state);
  const other = String(status?.detail?.restore ?? "");
  if (ended || other === operationId || status.detail?.stage === "preview") return;
  throw new RoundtripError({
    kind: "refused",
    what: "ask for a restore",
    expected: "none at work on the host",
    got: `${other}, at ${String(status.detail?.stage)} (${status.updatedAt})`,
    wayOut:
      "run that one again with its inputs to follow it; roundtrip logs restore-backup shows where it is",
  });
}

async function readPreview({ store, operationId }: OperationContext): Promise<RestorePreview | undefined> {
  return (await readJson<RestorePreview>(store, restoreKeys(operationId).preview))?.value;
}

async function outcomeOf({ store, operationId }: OperationContext): Promise<RestoreOutcome | undefined> {
  return (await readJson<RestoreOutcome>(store, restoreKeys(operationId).outcome))?.value;
}

function summaryOf({ backup, target, namespaces, point }: RestorePreview): string {
  const of = (wanted: string) => namespaces.filter(({ becomes }) => becomes === wanted).length;
  const log = point ? `, then the oplog (${logOf(point)}) to ${point.words}` : "";
  return `backup ${backup.id} into ${target.hosts} (${target.kind}): ${of("created")} created, ${of("replaced")} replaced, ${of("dropped")} dropped, ${of("kept")} kept${log}`;
}

function outcomeInWords({
  target,
  backupId,
  point,
  applied,
  through,
  seconds,
  collections,
}: RestoreOutcome): string {
  const documents = collections.reduce((sum, one) => sum + one.documents, 0);
  const to = point
    ? `${point.words} (last operation ${words(through)}, ${applied} applied)`
    : `backup ${backupId}`;
  return `restored ${target.hosts} to ${to}: ${counted(documents, "document")} in ${counted(collections.length, "collection")}, ${seconds} s`;
}

function outcomeChecks({ compared, point }: RestoreOutcome): Check[] {
  const expected = "the documents of the backup in each collection that nobody wrote to while it was dumped";
  if (point) return [];
  return [
    { name: "counts", ok: true, expected, got: `${counted(compared, "collection")} compared, all equal` },
  ];
}

function nextAfter({ target }: RestoreOutcome): string {
  return target.kind === "in-place"
    ? "look at the data, start the applications, reload the DMS tasks, and run backup"
    : `look at the data in ${target.hosts}; empty that server when it is done with`;
}

function otherPreview(confirm: string, digest: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "restore what was previewed",
    expected: `digest ${confirm}, as it was confirmed`,
    got: `digest ${digest}: target, backup or inputs are not what they were`,
    wayOut: `nothing was changed: read this run's preview, then run it again with confirm=${digest}`,
  });
}

function differs({ differences, backupId }: RestoreOutcome): RoundtripError {
  return new RoundtripError({
    kind: "differs",
    what: `hold what was restored against backup ${backupId}`,
    expected: "the documents of the backup in each collection",
    got: differences.slice(0, 5).join("; "),
    wayOut: "see whether somebody writes to that server; stop it, then preview and restore again",
  });
}

function noBackup(): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "find the newest backup",
    expected: `a manifest below ${dumpsPrefix}`,
    got: "none",
    wayOut: "take one: runbook backup",
  });
}

function noSecret(environment: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "choose the server beside",
    expected: "its secret: input secret, or backups.scratchSecret of the environment",
    got: "neither",
    wayOut: `give secret=‹name›, or set backup_scratch_secret_name in terraform/environments/${environment}.tfvars`,
  });
}

export const restoreBackup: Operation = {
  kind: "operation",
  name: "restore-backup",
  summary: "Preview and restore a backup of MongoDB, also to a second or an operation; beside, or in place.",
  inputs: [
    {
      name: "backup",
      description: "latest, or the id of a backup (roundtrip backups list)",
      pattern: /^(latest|\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z)$/,
      default: "latest",
    },
    {
      name: "until",
      description: "empty for the backup itself, a second like 2026-11-21T10:00:00Z, or an operation t:i",
      pattern: untilPattern,
      default: "",
    },
    {
      name: "into",
      description: "beside, into another server; or in-place, over MongoDB",
      pattern: /^(beside|in-place)$/,
      default: "beside",
    },
    {
      name: "secret",
      description: "beside: secret of the other server; - for the scratch server",
      pattern: /^(-|[A-Za-z0-9][A-Za-z0-9_+=.@-]+(\/[A-Za-z0-9_+=.@-]{2,})*)$/,
      default: "-",
    },
    {
      name: "drop",
      description: "whether what the server has and the backup doesn't is dropped",
      pattern: /^(true|false)$/,
      default: "false",
    },
    {
      name: "confirm",
      description: "digest of the preview that is to be restored; - for a preview only",
      pattern: /^(-|[0-9a-f]{16})$/,
      default: "-",
    },
    {
      name: "confirm-environment",
      description: "in place: the environment whose MongoDB is overwritten; - otherwise",
      pattern: /^(-|[a-z][a-z0-9-]{0,31})$/,
      default: "-",
    },
  ],
  steps: [operationsHostReady, tasksStopped, preview, restore, operationsHostAsBefore],
  next: "look at what was restored",
};
