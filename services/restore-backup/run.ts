import { noBackup, readBackup } from "../../adapters/state/backups.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { requestKey, statusKey } from "../../core/backup/layout.ts";
import { pointInTime } from "../../core/backup/point-in-time.ts";
import {
  type RestoreOutcome,
  type RestorePreview,
  type RestoreRequest,
  restoreKeys,
  restoreVerb,
} from "../../core/backup/restores.ts";
import { RoundtripError } from "../../core/errors.ts";
import { assertNormalTimes } from "../runtime/backup-run.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { assertWhole } from "./material.ts";
import { assertExact, type Previewed, previewRestore } from "./preview.ts";
import { type BegunRestore, type RestoreTools, restoreInto } from "./restore.ts";
import { openTarget, type Target } from "./target.ts";
import { ttlOf } from "./ttl.ts";

/**
 * Works on the restore that was asked for last: previews it, and when its preview was confirmed restores. One that has an
 * outcome is done. Fails `refused` when the preview is another one than was confirmed, `logCorrupt` before anything is
 * written, `differs` when counts are not the backup's.
 */
export async function runRestoreBackup(tools: RestoreTools): Promise<void> {
  const { service } = tools;
  const { store, status } = service;
  status.bindTo(statusKey(service.name));
  const request = await currentRequest(service);
  const keys = restoreKeys(request.id);
  const detail = { restore: request.id, backupId: request.backupId };
  status.update({ state: "running", detail: { ...detail, stage: "preview" } });
  const done = (await readJson<RestoreOutcome>(store, keys.outcome))?.value;
  if (done) return assertEqual(done);
  await assertNormalTimes(service, `restore backup ${request.backupId}`);
  const backup = await readBackup(store, request.backupId);
  if (!backup) throw noBackup("find the backup to restore", request.backupId);
  await using target = await openTarget(service, request, backup);
  const previewed = await previewRestore(service, request, backup, target);
  const begun = (await readJson<BegunRestore>(store, keys.begun))?.value;
  // A restore that has begun is of what was confirmed then: meanwhile the target is half of both.
  if (!begun) {
    await writeJson(store, keys.preview, previewed.preview);
    assertExact(previewed.preview, pointInTime(request.until));
  }
  if (!request.confirmed) {
    status.update({ detail: { ...detail, stage: "previewed", digest: previewed.preview.digest } });
    return;
  }
  if (!begun) assertConfirmed(request, previewed.preview);
  await assertWhole(service, backup, previewed.manifests);
  const begins = begun ?? (await begin(service, request, previewed, target));
  const outcome = await restoreInto(tools, target, backup, previewed, begins);
  service.logger.info({ ...detail, seconds: outcome.seconds, state: outcome.state }, "restored");
  status.update({ detail: { ...detail, stage: outcome.state, seconds: outcome.seconds } });
  assertEqual(outcome);
}

async function begin(
  { store, clock }: ServiceContext,
  request: RestoreRequest,
  { preview }: Previewed,
  target: Target,
): Promise<BegunRestore> {
  const begun: BegunRestore = {
    version: 1,
    request,
    startedAt: clock.now().toISOString(),
    kept: preview.namespaces.filter(({ becomes }) => becomes === "kept").map(({ namespace }) => namespace),
    ttl: await ttlOf(target),
  };
  await writeJson(store, restoreKeys(request.id).begun, begun, { ifNoneMatch: true });
  return begun;
}

async function currentRequest({ store, environment }: ServiceContext): Promise<RestoreRequest> {
  const key = requestKey(restoreVerb);
  const request = (await readJson<RestoreRequest>(store, key))?.value;
  if (request?.environment === environment.environment) return request;
  throw new RoundtripError({
    kind: "refused",
    what: `find the restore that was asked for in ${key}`,
    expected: `a request for environment ${environment.environment}`,
    got: request ? `one for ${request.environment}` : "none",
    wayOut: "start it by the runbook restore-backup",
  });
}

function assertConfirmed({ confirmed, backupId }: RestoreRequest, { digest }: RestorePreview): void {
  if (confirmed === digest) return;
  throw new RoundtripError({
    kind: "refused",
    what: `restore backup ${backupId}`,
    expected: `the preview that was confirmed, ${confirmed}`,
    got: `another one, ${digest}: target, backup or inputs are not what they were`,
    wayOut: "nothing was changed: look at the new preview and confirm that one",
  });
}

function assertEqual({ differences, backupId, target }: RestoreOutcome): void {
  if (differences.length === 0) return;
  throw new RoundtripError({
    kind: "differs",
    what: `hold what was restored into ${target.hosts} against backup ${backupId}`,
    expected: "the documents of the backup in each collection",
    got: `${differences.slice(0, 3).join("; ")}${differences.length > 3 ? `; and ${differences.length - 3} more` : ""}`,
    wayOut: "see whether somebody writes to that server; stop it, then preview and restore again",
  });
}
