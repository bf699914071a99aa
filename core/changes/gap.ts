import type { OperationTime } from "../ports.ts";

/** `gap.json`: what follows is not in the log and can't be read any more. Restore refuses to cross it. */
export interface Gap {
  readonly version: 1;
  readonly failbackId: string;
  /** The last manifest before the gap and its last sequence; 0 when nothing was captured. */
  readonly lastManifest: number;
  readonly lastSequence: number;
  /** Everything after this time may be missing. */
  readonly from: OperationTime;
  readonly detectedAt: string;
  /** What the server answered. */
  readonly got: string;
  readonly wayOut: string;
  readonly host: string;
  readonly run: string;
}
