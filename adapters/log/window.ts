import type { ChangeEvent } from "../../core/changes/event.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";

/** One event of the log with its place in it. */
export interface LogEvent {
  readonly sequence: number;
  readonly kind: "scope" | "held" | "control";
  /** Empty for events that name no namespace. */
  readonly database: string;
  readonly collection: string;
  /** The change event exactly as the server sent it. */
  readonly raw: Uint8Array;
  /** Operation type, `_id`, token, cluster time … as slices of `raw`. */
  readonly header: ChangeEvent;
}

/** Some whole manifests' events, in the order of their sequence numbers over all collections. */
export interface LogWindow {
  readonly firstSequence: number;
  /** `firstSequence - 1` when the manifests of this window commit a token and no events. */
  readonly lastSequence: number;
  readonly firstManifest: number;
  readonly lastManifest: number;
  /** Hex sha256 of the last manifest as stored: what a later read continues the chain from. */
  readonly lastManifestSha256: string;
  readonly lastOperationTime: Manifest["lastOperationTime"];
  /** Ascending and contiguous, except for events the reader was told to skip (`kinds`, `fromSequence`). */
  readonly events: readonly LogEvent[];
  readonly flags: Manifest["flags"];
  readonly signals: Manifest["signals"];
  /** Events of the kinds that were not asked for, counted by the manifests. */
  readonly skipped: number;
}

export interface ReadLogOptions {
  readonly store: ObjectStore;
  readonly failbackId: string;
  /**
   * First sequence wanted, default 1. The manifests before it are read and their chain is checked, too; their
   * objects are not fetched.
   */
  readonly fromSequence?: number;
  /** Last manifest to read; default: the newest there is when reading starts. */
  readonly throughManifest?: number;
  /** Which events to fetch; default all. The sequence is checked over all kinds whatever stands here. */
  readonly kinds?: readonly LogEvent["kind"][];
  /** A window closes when its events have this many bytes; it holds at least one manifest. Default 16 MiB. */
  readonly windowBytes?: number;
  /** Bytes of objects fetched ahead of what the consumer took, at most. Default 64 MiB. */
  readonly aheadBytesMax?: number;
  /** Requests at a time. Default 8. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

/** One committed flush as it was found in the bucket, its place in the chain checked. */
export interface CommittedManifest {
  readonly manifest: Manifest;
  /** Hex, of the manifest as stored. */
  readonly sha256: string;
}

export interface FollowOptions {
  readonly store: ObjectStore;
  readonly failbackId: string;
  readonly clock: Clock;
  /** Where to go on: the manifest read last and its hash. Default: from number 1. */
  readonly after?: { readonly number: number; readonly sha256: string };
  /** Between two looks for the next manifest; default 200. */
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}
