import { randomBytes } from "node:crypto";
import { followManifests, newestNumber } from "../../adapters/log/manifests.ts";
import type { CommittedManifest } from "../../adapters/log/window.ts";
import { insertSignal } from "../../adapters/mongo/signals.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import { FenceWatch } from "../../core/drain/fence-watch.ts";
import { type MarkedDocument, markedIn } from "./copy-marked.ts";
import type { Restore } from "./restore.ts";

/** Capture takes well under a second for the next manifest; it may be restarting. */
const silenceMsMax = 120_000;

/** The log as far as a canary written now: everything DocumentDB took before it is in there. */
export interface LogSeen {
  readonly lastManifest: number;
  /** Last sequence, which is how many events were captured. */
  readonly captured: number;
  readonly held: number;
  readonly flags: readonly string[];
  readonly marked: readonly MarkedDocument[];
  readonly writesBehindFence: readonly string[];
  /** Where the fence is; `undefined` when the log does not hold it. */
  readonly sentinelSequence: number | undefined;
}

/** Reads the chain of manifests, each once; a later look goes on where the one before it ended. */
export class LogWatch {
  private readonly watch: FenceWatch;
  private readonly flags = new Map<string, number>();
  private readonly marked = new Map<string, MarkedDocument>();
  private readonly namespaces: ReadonlySet<string>;
  private held = 0;
  private last: CommittedManifest | undefined;

  constructor(private readonly restore: Restore) {
    this.watch = new FenceWatch(restore.fence.sentinelId);
    this.namespaces = new Set(restore.namespaces);
  }

  /**
   * Reads through a manifest that holds a canary written now (invariants.md 22). `undefined` when capture is silent:
   * then nobody knows what DocumentDB took meanwhile. Fails `logCorrupt`.
   */
  async look(): Promise<LogSeen | undefined> {
    const { service, failback } = this.restore;
    const canary = await this.writeCanary();
    const silence = new Silence(silenceMsMax);
    try {
      const manifests = followManifests({
        store: service.store,
        failbackId: failback.id,
        clock: service.clock,
        signal: AbortSignal.any([silence.signal, service.signal]),
        pollMs: 50,
        ...(this.last && { after: { number: this.last.manifest.number, sha256: this.last.sha256 } }),
      });
      for await (const committed of manifests) {
        silence.broken();
        service.alive();
        this.last = committed;
        this.take(committed.manifest);
        if (committed.manifest.signals.some(({ id }) => id === canary)) return this.seen(committed.manifest);
      }
    } catch (error) {
      if (!silence.signal.aborted) throw error;
    } finally {
      silence.end();
    }
    service.signal.throwIfAborted();
    // A hole at the end of what was read looks like a capture that is silent: this tells them apart.
    await newestNumber(service.store, failback.id);
    return undefined;
  }

  private async writeCanary(): Promise<string> {
    const { service, failback, documentdb } = this.restore;
    const id = `canary-${failback.id}-restore-${randomBytes(6).toString("hex")}`;
    const signal = { _id: id, kind: "canary", failbackId: failback.id, at: service.clock.now() } as const;
    await insertSignal(documentdb.client, signal).catch((error) => {
      throw documentdb.failure(error, "write a canary");
    });
    return id;
  }

  private take(manifest: Manifest): void {
    this.watch.take(manifest);
    for (const object of manifest.objects) if (object.kind === "held") this.held += object.events;
    for (const each of markedIn(manifest, this.namespaces))
      this.marked.set(`${each.namespace} ${each.id}`, each);
    for (const { reason, namespace } of manifest.flags) {
      const what = `${reason} in ${namespace}`;
      this.flags.set(what, (this.flags.get(what) ?? 0) + 1);
    }
  }

  private seen(manifest: Manifest): LogSeen {
    const { breach, sentinelSequence } = this.watch;
    return {
      lastManifest: manifest.number,
      captured: manifest.lastSequence,
      held: this.held,
      flags: [...this.flags].map(([what, count]) => `${count} events flagged ${what}`),
      marked: [...this.marked.values()],
      writesBehindFence: breach ? [`event ${breach.sequence} in ${breach.namespace}`] : [],
      sentinelSequence,
    };
  }
}

/** Fires when nothing was heard for a while; a long chain may take longer than that to read. */
class Silence {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout>;

  constructor(private readonly ms: number) {
    this.timer = this.start();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = this.start();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.controller.abort(new Error("capture is silent")), this.ms);
  }
}
