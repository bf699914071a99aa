/** The commit record of one flush (invariants.md 7): an object that no manifest names does not exist. */
export interface ManifestObject {
  readonly key: string;
  readonly database: string;
  readonly collection: string;
  readonly events: number;
  /** Sequence numbers of the events in the object, in its order, as runs: first, count, first, count, … */
  readonly sequences: readonly number[];
  /** Bytes as stored. */
  readonly bytes: number;
  /** Hex, of the bytes as stored. */
  readonly sha256: string;
  readonly compression: "none" | "zstd";
  /** Bytes of the events before compression; given only when they are compressed. */
  readonly rawBytes?: number;
  /** `scope`: applied. `held`: outside the scope, kept and counted. `control`: Roundtrip's own signals. */
  readonly kind: "scope" | "held" | "control";
}

export type FlagReason = "unknown-type" | "lookup-null" | "oversize" | "unreadable" | "no-document-key";

export interface Manifest {
  readonly version: 1;
  readonly failbackId: string;
  readonly number: number;
  /** Hex sha256 of the manifest before this one, as stored; 64 zeros for number 1. */
  readonly previousSha256: string;
  readonly writer: { readonly host: string; readonly run: string };
  readonly writtenAt: string;
  /** First and last sequence of this flush; `lastSequence = firstSequence - 1` when it commits only a newer token. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Canonical extended JSON of the resume tokens. `lastToken` is where the next capture resumes. */
  readonly firstToken: unknown;
  readonly lastToken: unknown;
  /** clusterTime of the last event, or the batch's operationTime. */
  readonly lastOperationTime: { readonly t: number; readonly i: number };
  readonly objects: readonly ManifestObject[];
  /** Events that need a second look, by sequence. `id` is the document's `_id` as canonical extended JSON. */
  readonly flags: readonly {
    readonly sequence: number;
    readonly reason: FlagReason;
    readonly namespace: string;
    readonly id?: string;
  }[];
  /** `_id`s of control signals (canary, heartbeat, sentinel) in this flush, with their sequence. */
  readonly signals: readonly { readonly id: string; readonly kind: string; readonly sequence: number }[];
}

export const noPrevious = "0".repeat(64);
