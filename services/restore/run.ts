import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { ConflictLedger } from "../../adapters/state/conflict-ledger.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RestoreCheckpoint, RestoreOrigins } from "../../adapters/state/restore-state.ts";
import type { LoadedTail } from "../../adapters/state/tail-ledger.ts";
import { writeVerdict } from "../../adapters/state/verdict-store.ts";
import type { ReplayState } from "../../core/apply/replay.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { AcceptedDifferences, Catalog, Verdict } from "../../core/failback/documents.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import {
  type CatalogDifference,
  catalogNormalisations,
  compareCatalogs,
} from "../../core/verdict/catalogs.ts";
import { decide, type Evidence, type Quiet } from "../../core/verdict/decide.ts";
import type { Databases } from "../access/databases.ts";
import { scopeDatabases } from "../access/survey.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";
import { applyLog } from "./apply-log.ts";
import { type ComparedCollection, compareScope } from "./comparison.ts";
import { ForeignWrites, type LogSeen, seeLog } from "./look.ts";
import { lostVerdict } from "./lost-verdict.ts";
import { checkGround, type Ground } from "./preconditions.ts";
import type { Restore } from "./restore.ts";
import { openTail, tailCount, tailRuleOf } from "./tail.ts";

/**
 * Applies the log to MongoDB, compares both sides, and decides (invariants.md 14–23). Goes on where an earlier run
 * stopped. Moves the phase to `verified` on PROVEN; ends `differs` or `unknown` on the other two.
 */
export async function runRestore(service: ServiceContext, databases: Databases): Promise<void> {
  const failback = await service.failback.open();
  if (failback.phase === "verified") {
    service.logger.info({}, "already verified");
    return;
  }
  assertPhase(failback.phase, ["restoring"], "restore", failback.id);
  const verdict = await verdictOf(service, failback, databases);
  await writeVerdict(service.store, verdict);
  service.status.update({ detail: { stage: "verdict", verdict: verdict.verdict } });
  service.logger.info({ verdict: verdict.verdict, reasons: verdict.reasons }, "verdict");
  if (verdict.verdict !== "PROVEN") throw notProven(verdict);
  await service.phaseStore.move(failback.id, "verified", "restore");
}

/** A log that can't be read to its end is a verdict, too: nobody knows. The failure itself goes on. */
async function verdictOf(
  service: ServiceContext,
  failback: OpenFailback,
  databases: Databases,
): Promise<Verdict> {
  try {
    const [mongodb, documentdb] = await Promise.all([
      databases.open("mongodb"),
      databases.open("documentdb"),
    ]);
    const ground = await checkGround(service, failback, mongodb);
    const namespaces = failback.scope.databases.flatMap(({ name, collections }) =>
      collections.map((collection) => `${name}.${collection}`),
    );
    return await restoreAndCompare(
      { service, failback, mongodb, documentdb, fence: ground.fence, namespaces },
      ground,
    );
  } catch (error) {
    const lost =
      error instanceof RoundtripError ? lostVerdict(failback.id, error, service.clock.now()) : undefined;
    if (lost) await writeVerdict(service.store, lost);
    throw error;
  }
}

async function restoreAndCompare(restore: Restore, ground: Ground): Promise<Verdict> {
  const { service, failback } = restore;
  const { store, clock } = service;
  const log = await seeLog(restore);
  if (log?.sentinelSequence === undefined) throw notInLog(restore, log);
  const tail = await openTail(restore, ground.blockTime);
  const checkpoint = await RestoreCheckpoint.open(store, clock, failback.id);
  const origins = await RestoreOrigins.open(store, failback.id);
  const conflicts = new ConflictLedger(store, failback.id);
  const foreign = new ForeignWrites(restore, origins, ground.blockTime);
  const state = await applyLog(restore, {
    checkpoint,
    origins,
    conflicts,
    foreign,
    tail: tailRuleOf(tail, service.settings.conflictPolicy),
    throughManifest: log.through.manifest.number,
    lastSequence: log.captured,
    marked: log.marked,
  });
  const applyMs = checkpoint.applyMs;
  const before: Quiet = { ...(await foreign.look()), writesBehindFence: log.writesBehindFence };
  const startedMs = clock.monotonicMs();
  const known = await conflicts.read();
  const collections = await compareScope(restore, tail.images, known);
  const accepted = await readAccepted(restore);
  const catalog = await catalogDifferences(restore, ground, accepted);
  const compareMs = Math.round(clock.monotonicMs() - startedMs);
  const logAfter = await seeLog(restore);
  const after = lookAfter(await foreign.look(), logAfter);
  const evidence: Evidence = {
    ...evidenceOf(restore, {
      log,
      logAfter,
      state,
      tail,
      collections,
      margin: known.filter((each) => each.margin).length,
    }),
    conflicts: new Set(
      known.filter(({ margin }) => !margin).map(({ namespace, key }) => `${namespace} ${key}`),
    ).size,
    openConflicts: known.filter(({ settled }) => !settled).map(({ what }) => what),
    catalog,
    accepted,
    before,
    after,
    durations: { applyMs, compareMs },
  };
  return decide(evidence);
}

function lookAfter(oplog: Pick<Quiet, "foreignWrites" | "blind">, log: LogSeen | undefined): Quiet {
  if (log) return { ...oplog, writesBehindFence: log.writesBehindFence };
  const blind = "a canary written to DocumentDB did not come into the log: capture does not run";
  return { ...oplog, blind: [...oplog.blind, blind], writesBehindFence: [] };
}

interface Parts {
  readonly log: LogSeen;
  readonly logAfter: LogSeen | undefined;
  readonly state: ReplayState;
  readonly tail: LoadedTail;
  readonly collections: readonly ComparedCollection[];
  /** Documents of the margin that the log changes, too. */
  readonly margin: number;
}

function evidenceOf(restore: Restore, { log, logAfter, state, tail, collections, margin }: Parts) {
  const { service, failback, fence } = restore;
  const { counts } = state;
  const last = logAfter ?? log;
  const { forced } = failback.scope;
  const passed = Object.entries(counts.passed).map(
    ([what, count]) => `${count} × ${what}: changed no document by itself`,
  );
  const commands = tail.header.commands.map((command) => `in the tail on MongoDB: ${command}`);
  return {
    failbackId: failback.id,
    takenAt: service.clock.now().toISOString(),
    fence: fence.number,
    coverage: {
      firstSequence: 1,
      lastSequence: log.captured,
      manifests: log.manifests,
      appliedThrough: state.sequence,
      problems: [],
    },
    captured: last.captured,
    applied: counts.events,
    held: last.held,
    tail: [...tail.images.values()].reduce((sum, documents) => sum + tailCount(documents), 0),
    collections,
    notes: [
      tail.header.boundary,
      ...(margin > 0
        ? [
            `${margin} documents changed on MongoDB just before DMS's checkpoint, and in the log: the log's version stands, MongoDB's is in the tail's ledger`,
          ]
        : []),
      ...commands,
      ...last.flags,
      ...(last.marked.length > 0
        ? [`${last.marked.length} documents copied from DocumentDB behind the fence`]
        : []),
      ...passed,
      ...(counts.lookupNull > 0
        ? [`${counts.lookupNull} updates whose document was gone when it was looked up`]
        : []),
      ...(forced ? [`the start was forced (${forced}): everything was compared`] : []),
    ],
    normalisations: catalogNormalisations,
  };
}

async function readAccepted({ service, failback }: Restore): Promise<ReadonlySet<string>> {
  const found = await readJson<AcceptedDifferences>(service.store, failback.keys.accepted);
  return new Set(found?.value.accepted.map(({ what }) => what));
}

/** Both catalogs as they are now are kept beside the one taken at the start. */
async function catalogDifferences(
  { service, failback, mongodb, documentdb }: Restore,
  { recorded }: Ground,
  accepted: ReadonlySet<string>,
): Promise<CatalogDifference[]> {
  const { store, clock } = service;
  const names = scopeDatabases(failback.scope);
  const read = (server: Restore["mongodb"]) =>
    readCatalog(server.client, names, clock.now()).catch((error) => {
      throw server.failure(error, "read the catalog");
    });
  const now = { documentdb: await read(documentdb), mongodb: await read(mongodb) };
  await writeJson(store, failback.keys.catalog("documentdb-fence"), now.documentdb);
  await writeJson(store, failback.keys.catalog("mongodb-restored"), now.mongodb);
  const start = (await readJson<Catalog>(store, failback.keys.catalog("documentdb-start")))?.value;
  const before = start && recorded && { documentdb: start, mongodb: recorded.catalog };
  return compareCatalogs({ ...now, ...(before && { before }), accepted }, failback.scope);
}

function notInLog({ failback, fence }: Restore, log: LogSeen | undefined): RoundtripError {
  return new RoundtripError({
    kind: log ? "refused" : "unavailable",
    what: `restore failback ${failback.id}`,
    expected: log
      ? `sentinel ${fence.sentinelId} of fence ${fence.number} in the log`
      : "a canary written now in the log",
    got: log ? `events 1…${log.captured} without it` : "nothing within two minutes: capture does not run",
    wayOut: log
      ? "run failback-restore: its drain step raises the fence"
      : "start replication.service, then restore again",
  });
}

function notProven({ verdict, reasons, failbackId }: Verdict): RoundtripError {
  return new RoundtripError({
    kind: verdict === "DIFFERS" ? "differs" : "unknown",
    what: `compare both sides of failback ${failbackId}`,
    expected: "verdict PROVEN",
    got: `${verdict}: ${reasons.slice(0, 5).join("; ")}`,
    wayOut:
      "DocumentDB has everything: failback-reopen gives the applications their writes back; mend what is named, then failback-restore again",
  });
}
