import { randomBytes } from "node:crypto";
import { deserialize, EJSON } from "bson";
import { followManifests, newestNumber } from "../../adapters/log/manifests.ts";
import type { CommittedManifest } from "../../adapters/log/window.ts";
import { readOplog } from "../../adapters/mongo/oplog.ts";
import { oplogWindow } from "../../adapters/mongo/replica-set.ts";
import { insertSignal } from "../../adapters/mongo/signals.ts";
import type { RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { FenceWatch } from "../../core/drain/fence-watch.ts";
import { compareTimes, timeInWords } from "../../core/failback/recorded-tasks.ts";
import type { OplogOperation } from "../../core/oplog/entry.ts";
import { isForeign } from "../../core/oplog/foreign.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Quiet } from "../../core/verdict/decide.ts";
import { type MarkedDocument, markedIn } from "./copy-marked.ts";
import type { Restore } from "./restore.ts";

/** Capture takes well under a second; it may be restarting. */
const canaryMsMax = 120_000;
const namedMax = 100;

/** The log as far as a canary written now: everything DocumentDB took before it is in there. */
export interface LogSeen {
  readonly through: CommittedManifest;
  readonly manifests: number;
  readonly captured: number;
  readonly held: number;
  readonly flags: readonly string[];
  readonly marked: readonly MarkedDocument[];
  readonly writesBehindFence: readonly string[];
  /** Where the fence is; `undefined` when the log does not hold it. */
  readonly sentinelSequence: number | undefined;
}

/**
 * Reads the chain of manifests from 1 through one that holds a canary written now (invariants.md 22). `undefined` when
 * the canary does not come in time: then nobody knows what DocumentDB took meanwhile. Fails `logCorrupt`.
 */
export async function seeLog(restore: Restore): Promise<LogSeen | undefined> {
  const { service, failback, documentdb, fence } = restore;
  const { clock, store } = service;
  const id = `canary-${failback.id}-restore-${randomBytes(6).toString("hex")}`;
  const signal = { _id: id, kind: "canary", failbackId: failback.id, at: clock.now() } as const;
  await insertSignal(documentdb.client, signal).catch((error) => {
    throw documentdb.failure(error, "write a canary");
  });
  const deadline = AbortSignal.any([AbortSignal.timeout(canaryMsMax), service.signal]);
  const watch = new FenceWatch(fence.sentinelId);
  const flags = new Map<string, number>();
  const marked = new Map<string, MarkedDocument>();
  const namespaces = new Set(restore.namespaces);
  let held = 0;
  for await (const committed of followManifests({
    store,
    failbackId: failback.id,
    clock,
    signal: deadline,
    pollMs: 50,
  })) {
    const { manifest } = committed;
    service.alive();
    watch.take(manifest);
    for (const object of manifest.objects) if (object.kind === "held") held += object.events;
    for (const each of markedIn(manifest, namespaces)) marked.set(`${each.namespace} ${each.id}`, each);
    for (const { reason, namespace } of manifest.flags) {
      const what = `${reason} in ${namespace}`;
      flags.set(what, (flags.get(what) ?? 0) + 1);
    }
    if (!manifest.signals.some((each) => each.id === id)) continue;
    const { breach } = watch;
    return {
      through: committed,
      manifests: manifest.number,
      captured: manifest.lastSequence,
      held,
      flags: [...flags].map(([what, count]) => `${count} events flagged ${what}`),
      marked: [...marked.values()],
      writesBehindFence: breach ? [`event ${breach.sequence} in ${breach.namespace}`] : [],
      sentinelSequence: watch.sentinelSequence,
    };
  }
  service.signal.throwIfAborted();
  // A hole at the end of what was read looks like a capture that is silent: this tells them apart.
  await newestNumber(store, failback.id);
  return undefined;
}

/** Entries this old are read again: a write may become visible behind one that was seen already. */
const overlapSeconds = 10;

/** What others wrote on MongoDB since the block. Reads the oplog a piece at a time, and goes on there after a restart. */
export class ForeignWrites {
  private blind: readonly string[] = [];

  constructor(
    private readonly restore: Restore,
    private readonly origins: RestoreOrigins,
    private readonly blockTime: OperationTime,
  ) {}

  /** Looks at everything the oplog holds by now. Fails with what the driver throws. */
  async look(): Promise<Pick<Quiet, "foreignWrites" | "blind">> {
    const { mongodb, namespaces } = this.restore;
    const { own, readThrough = this.blockTime } = this.origins;
    const { first, last } = await oplogWindow(mongodb.client);
    if (compareTimes(first, readThrough) > 0) {
      const missing = `${timeInWords(readThrough)} to ${timeInWords(first)}`;
      this.blind = [`MongoDB's oplog no longer holds ${missing}: who wrote then is not known`];
    }
    const found = new Set(this.origins.foreign);
    const range = { after: readThrough, namespaces, exceptSessions: [...own.sessions] };
    for await (const operation of readOplog(mongodb.client, range)) {
      if (isForeign(operation, own) && found.size < namedMax) found.add(named(operation));
    }
    const position = { t: last.t - overlapSeconds, i: 0 };
    const through = compareTimes(position, readThrough) > 0 ? position : readThrough;
    await this.origins.recordLook(through, [...found]);
    return { foreignWrites: [...found], blind: this.blind };
  }
}

const kinds = { i: "insert", u: "update", d: "delete" } as const;

function named({ kind, namespace, command, id, at }: OplogOperation): string {
  const what = kind === "c" ? (command ?? "command") : kinds[kind];
  const document = id
    ? ` ${EJSON.stringify(deserialize(id, { promoteValues: false })._id, { relaxed: false })}`
    : "";
  return `${what} ${namespace}${document} at ${timeInWords(at)}`;
}
