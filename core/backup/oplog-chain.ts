/** Manifests of the oplog's archive: written, read, and checked to continue one another. */

import { RoundtripError } from "../errors.ts";
import { compareTimes } from "../failback/recorded-tasks.ts";
import type { OperationTime } from "../ports.ts";
import { sha256Of } from "../sha256.ts";
import type { OplogManifest } from "./documents.ts";
import { timeAfter } from "./point-in-time.ts";

/** A manifest with the hash that the next one names. */
export interface ChainedManifest {
  readonly manifest: OplogManifest;
  readonly sha256: string;
}

/** The bytes as stored, and their hash. */
export function encodeOplogManifest(manifest: OplogManifest): { body: Uint8Array; sha256: string } {
  const body = new TextEncoder().encode(`${JSON.stringify(manifest)}\n`);
  return { body, sha256: sha256Of(body) };
}

/** Reads a stored manifest. Fails `logCorrupt` naming its key. */
export function readOplogManifest(key: string, body: Uint8Array): ChainedManifest {
  let value: OplogManifest;
  try {
    value = JSON.parse(new TextDecoder().decode(body)) as OplogManifest;
  } catch (cause) {
    throw corrupt(key, "a JSON document", `${body.length} bytes that do not parse`, cause);
  }
  const problem = problemOf(value);
  if (problem) throw corrupt(key, problem, "something else");
  return { manifest: value, sha256: sha256Of(body) };
}

/** That a manifest continues the one before it: number, hash, source and time. Fails `logCorrupt`. */
export function assertContinues(key: string, before: ChainedManifest, { manifest }: ChainedManifest): void {
  const last = before.manifest;
  if (manifest.era !== last.era) throw corrupt(key, `era ${last.era}`, manifest.era);
  if (manifest.number !== last.number + 1)
    throw corrupt(key, `number ${last.number + 1}`, String(manifest.number));
  if (manifest.previous !== before.sha256)
    throw corrupt(key, `the manifest before it with sha256 ${manifest.previous}`, before.sha256);
  if (manifest.source.replicaSetId !== last.source.replicaSetId)
    throw corrupt(key, `replica set ${last.source.replicaSetId}`, manifest.source.replicaSetId);
  if (compareTimes(manifest.after, last.last) !== 0)
    throw corrupt(key, `entries after ${words(last.last)}`, `after ${words(manifest.after)}`);
}

/** Whether everything before an exclusive limit is archived when the archive reaches `last`. */
export function reaches(last: OperationTime, limit: OperationTime): boolean {
  return compareTimes(timeAfter(last), limit) >= 0;
}

const hash = /^[0-9a-f]{64}$/;

function problemOf(value: OplogManifest): string | undefined {
  if (typeof value !== "object" || value === null || value.version !== 1) return "version 1";
  if (typeof value.era !== "string" || value.era === "") return "an era";
  if (!Number.isSafeInteger(value.number) || value.number < 1) return "a number from 1";
  if (![value.after, value.first, value.last].every(isTime)) return "after, first and last with t and i";
  if (compareTimes(value.after, value.first) >= 0 || compareTimes(value.first, value.last) > 0)
    return "times in their order: after before first, first not after last";
  if (typeof value.source?.replicaSetId !== "string") return "a source with its replica set's id";
  const { key, sha256, bytes } = value.segment ?? {};
  if (typeof key !== "string" || !hash.test(String(sha256)) || !Number.isSafeInteger(bytes))
    return "a segment with key, bytes and sha256";
  if (!Number.isSafeInteger(value.entries) || value.entries < 1) return "a number of entries from 1";
  return undefined;
}

function isTime(value: unknown): boolean {
  const { t, i } = (value ?? {}) as Partial<OperationTime>;
  return Number.isSafeInteger(t) && Number.isSafeInteger(i);
}

function words({ t, i }: OperationTime): string {
  return `${t}:${i}`;
}

function corrupt(key: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "logCorrupt",
      what: `read the oplog archive's manifest ${key}`,
      expected,
      got,
      wayOut:
        "restore the object's version that was written first; without it, restore to a time before it or from a later backup",
    },
    { cause },
  );
}
