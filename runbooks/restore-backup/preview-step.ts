import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { OplogRun } from "../../core/backup/documents.ts";
import { dumpsPrefix, requestKey, runKey } from "../../core/backup/layout.ts";
import { type RestorePreview, restoreKeys, restoreVerb } from "../../core/backup/restores.ts";
import type { OperationContext } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { assertNoneAtWork, startAndFollow, unit } from "./host-work.ts";
import { logOf, previewChecks, sayPreview } from "./preview.ts";
import { requestOf } from "./request.ts";

const previewSeconds = 1800;

export const preview: OperationStep = {
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
    const found = await startAndFollow(context, previewSeconds, (status) =>
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

async function readPreview({ store, operationId }: OperationContext): Promise<RestorePreview | undefined> {
  return (await readJson<RestorePreview>(store, restoreKeys(operationId).preview))?.value;
}

function summaryOf({ backup, target, namespaces, point }: RestorePreview): string {
  const of = (wanted: string) => namespaces.filter(({ becomes }) => becomes === wanted).length;
  const log = point ? `, then the oplog (${logOf(point)}) to ${point.words}` : "";
  return `backup ${backup.id} into ${target.hosts} (${target.kind}): ${of("created")} created, ${of("replaced")} replaced, ${of("dropped")} dropped, ${of("kept")} kept${log}`;
}
