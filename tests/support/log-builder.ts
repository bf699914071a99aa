import { isPrecondition } from "../../adapters/store-error.ts";
import type { Manifest, ManifestObject } from "../../core/changes/manifest.ts";
import { type ChainHead, chainStart, encodeManifest } from "../../core/changes/manifest-chain.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";

export interface LoggedEvent {
  readonly kind: ManifestObject["kind"];
  /** `_id` of a control signal. */
  readonly signal?: string;
}

/** Commits manifests to a store as a capture would, without the events themselves. */
export class LogBuilder {
  private head: ChainHead = chainStart;

  constructor(
    private readonly store: ObjectStore,
    private readonly failbackId: string,
  ) {}

  /** One flush. Every event is an object of its own. */
  async commit(...events: readonly LoggedEvent[]): Promise<Manifest> {
    const firstSequence = this.head.lastSequence + 1;
    const objects = events.map(({ kind }, index) => this.object(kind, firstSequence + index));
    const signals = events.flatMap(({ signal }, index) =>
      signal ? [{ id: signal, kind: signal.split("-")[0] ?? "", sequence: firstSequence + index }] : [],
    );
    const manifest: Manifest = {
      version: 1,
      failbackId: this.failbackId,
      number: this.head.number + 1,
      previousSha256: this.head.sha256,
      writer: { host: "host", run: "run" },
      writtenAt: "2026-11-21T00:00:00.000Z",
      firstSequence,
      lastSequence: firstSequence + events.length - 1,
      firstToken: {},
      lastToken: {},
      lastOperationTime: { t: 1, i: firstSequence },
      objects,
      flags: [],
      signals,
    };
    const { body, sha256 } = encodeManifest(manifest);
    try {
      await this.store.put(keysOf(this.failbackId).manifest(manifest.number), body, { ifNoneMatch: true });
    } catch (error) {
      if (isPrecondition(error)) throw new Error(`two log builders on failback ${this.failbackId}`);
      throw error;
    }
    this.head = { number: manifest.number, sha256, lastSequence: manifest.lastSequence };
    return manifest;
  }

  private object(kind: ManifestObject["kind"], sequence: number): ManifestObject {
    const database = kind === "control" ? "roundtrip_control" : kind === "scope" ? "shop" : "elsewhere";
    const collection = kind === "control" ? "signals" : "orders";
    return {
      key: `${keysOf(this.failbackId).log}${database}/${collection}/${sequence}.bson`,
      database,
      collection,
      events: 1,
      sequences: [sequence, 1],
      bytes: 1,
      sha256: "0".repeat(64),
      compression: "none",
      kind,
    };
  }
}
