import { join } from "node:path";
import { configurationText } from "../../adapters/dump/configuration.ts";
import { inspectDatabases } from "../../adapters/mongo/inspect.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { type RestoreOutcome, type RestoreRequest, restoreKeys } from "../../core/backup/restores.ts";
import type { OperationTime } from "../../core/ports.ts";
import { withPrivateFile } from "../dump/private-file.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { closeToWriters, openToWriters } from "./closing.ts";
import { restoreDump } from "./dump.ts";
import { dumpedNamespaces, type Previewed } from "./preview.ts";
import { replay } from "./replay.ts";
import { type Target, targetNamespaces } from "./target.ts";
import { switchTtl, type TtlStates } from "./ttl.ts";

/** Written before the first change. */
export interface BegunRestore {
  readonly version: 1;
  /** Who asked for what, and which preview was confirmed. */
  readonly request: RestoreRequest;
  readonly startedAt: string;
  /** Namespaces that stay although the backup doesn't have them; anything else goes. */
  readonly kept: readonly string[];
  readonly ttl: TtlStates;
}

export interface RestoreTools {
  readonly service: ServiceContext;
  /** Path of mongorestore, or its name on PATH. */
  readonly executable: string;
  /** Where the connection string lies meanwhile; in memory where systemd gives such a folder. */
  readonly privateDirectory: string;
}

/**
 * Brings the target to the backup, and on to the point in time. Killed anywhere, the next run does all of it again: the
 * backup's collections are dropped and made anew, so that nothing half done is left. Writes the outcome last.
 */
export async function restoreInto(
  tools: RestoreTools,
  target: Target,
  backup: BackupManifest,
  previewed: Previewed,
  begun: BegunRestore,
): Promise<RestoreOutcome> {
  const { service } = tools;
  const { preview, manifests } = previewed;
  await closeToWriters(target);
  await switchTtl(target, false);
  let written: ReadonlySet<string>;
  let replayed = { applied: 0, through: backup.oplog.last };
  try {
    await dropOthers(service, target, backup, begun.kept);
    const configurationPath = join(tools.privateDirectory, "mongorestore.yaml");
    const { executable } = tools;
    [written, replayed] = await withPrivateFile(
      configurationPath,
      configurationText(target.uri),
      async () => {
        const during = await restoreDump(service, target, backup, { executable, configurationPath });
        if (!preview.point) return [during, replayed];
        const { limit } = preview.point;
        const directory = join(service.stateDirectory, "restore-backup");
        const after = backup.oplog.last;
        const options = {
          service,
          target,
          executable,
          configurationPath,
          directory,
          manifests,
          after,
          limit,
        };
        return [during, await replay(options)];
      },
    );
  } finally {
    await switchTtl(target, begun.ttl);
  }
  const outcome = await conclude(service, target, backup, { previewed, begun, written, replayed });
  await openToWriters(target);
  await writeJson(service.store, restoreKeys(preview.id).outcome, outcome);
  return outcome;
}

/** What the backup doesn't have and nobody keeps; also what a run before this one made of the log. */
async function dropOthers(
  { signal, logger }: ServiceContext,
  target: Target,
  backup: BackupManifest,
  kept: readonly string[],
): Promise<void> {
  const stays = new Set([...dumpedNamespaces(backup).keys(), ...kept]);
  for (const { namespace } of await targetNamespaces(target, signal)) {
    if (stays.has(namespace)) continue;
    logger.warn({ namespace }, "dropped: the backup doesn't have it");
    const [database = "", ...name] = namespace.split(".");
    try {
      await target.client.db(database).collection(name.join(".")).drop();
    } catch (error) {
      throw target.failure(error, `drop ${namespace}`);
    }
  }
}

interface Done {
  readonly previewed: Previewed;
  readonly begun: BegunRestore;
  readonly written: ReadonlySet<string>;
  readonly replayed: { readonly applied: number; readonly through: OperationTime };
}

async function conclude(
  service: ServiceContext,
  target: Target,
  backup: BackupManifest,
  { previewed, begun, written, replayed }: Done,
): Promise<RestoreOutcome> {
  const { preview } = previewed;
  const collections = await counts(service, target);
  const dumped = [...dumpedNamespaces(backup)].filter(
    ([namespace]) => !preview.point && !isWritten(namespace, written),
  );
  const found = new Map(collections.map(({ namespace, documents }) => [namespace, documents]));
  const differences = dumped.flatMap(([namespace, documents]) => {
    const got = found.get(namespace) ?? 0;
    return got === documents ? [] : [`${namespace}: expected ${documents} documents, got ${got}`];
  });
  const finishedAt = service.clock.now();
  return {
    version: 1,
    id: preview.id,
    environment: preview.environment,
    backupId: backup.id,
    target: preview.target,
    ...(preview.point ? { point: { limit: preview.point.limit, words: preview.point.words } } : {}),
    state: differences.length > 0 ? "differs" : "restored",
    startedAt: begun.startedAt,
    finishedAt: finishedAt.toISOString(),
    seconds: Math.round((finishedAt.getTime() - Date.parse(begun.startedAt)) / 100) / 10,
    ...replayed,
    collections,
    compared: dumped.length,
    differences,
  };
}

/** Counted, as far as time allows. */
async function counts(
  { signal }: ServiceContext,
  target: Target,
): Promise<{ namespace: string; documents: number }[]> {
  const names = new Set(
    (await targetNamespaces(target, signal)).map(({ namespace }) => namespace.split(".")[0]!),
  );
  try {
    const databases = await inspectDatabases(target.client, { databases: [...names], exact: true, signal });
    return databases.flatMap(({ name: database, collections }) =>
      collections.map(({ name, documents }) => ({ namespace: `${database}.${name}`, documents })),
    );
  } catch (error) {
    throw target.failure(error, "count what was restored");
  }
}

function isWritten(namespace: string, written: ReadonlySet<string>): boolean {
  return written.has(namespace) || written.has(`${namespace.split(".")[0]}.`);
}
