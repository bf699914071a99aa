/** `backups/oplog/current.json`: the era that is being written, and why it began. Replaced by If-Match only. */
import type { OperationTime } from "../ports.ts";
import { oplogPrefix } from "./layout.ts";

export const currentEraKey = `${oplogPrefix}current.json`;

export interface OplogSource {
  readonly setName: string;
  readonly replicaSetId: string;
}

/** What is not in the archive, for good. */
export interface OplogGap {
  /** The last entry archived before. */
  readonly from: OperationTime;
  /** The entry after which the archive goes on. */
  readonly to: OperationTime;
  readonly detectedAt: string;
  readonly reason: string;
}

export interface OplogEra {
  readonly version: 1;
  readonly era: string;
  readonly source: OplogSource;
  readonly startedAt: string;
  /** The entry before its first one. */
  readonly after: OperationTime;
  /** The era before it, where there was one. */
  readonly previous?: string;
  /** Why it began, when something is missing before it. */
  readonly gap?: OplogGap;
}

/** In order of time as text, to the millisecond; the run keeps those of two archives apart. */
export function newEraId(now: Date, run: string): string {
  return `${now.toISOString().replace(/[:.]/g, "-")}-${run}`;
}

/** From an entry's reading to its being in the bucket; `backups.oplogFlushSeconds` of the environment sets another one. */
export const oplogFlushSecondsDefault = 10;
