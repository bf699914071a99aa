/** Building manifests, and checking that one continues the chain (invariants.md 7). Every message names the manifest. */
import { RoundtripError } from "../errors.ts";
import { sha256Of } from "../sha256.ts";
import { type Manifest, noPrevious } from "./manifest.ts";
import { countSequences, firstHole } from "./sequence.ts";

/** Where a chain stands: what the next manifest must continue. */
export interface ChainHead {
  readonly number: number;
  readonly sha256: string;
  readonly lastSequence: number;
}

export const chainStart: ChainHead = { number: 0, sha256: noPrevious, lastSequence: 0 };

/** The bytes of a manifest as stored, and their hash. */
export function encodeManifest(manifest: Manifest): { body: Uint8Array; sha256: string } {
  const body = new TextEncoder().encode(`${JSON.stringify(manifest)}\n`);
  return { body, sha256: sha256Of(body) };
}

/**
 * Reads a stored manifest and checks that it is whole and continues the chain: its number, the hash of the one
 * before it, and sequence numbers that go on without hole or repeat. Fails `logCorrupt` naming key and reason.
 */
export function checkChain(
  key: string,
  body: Uint8Array,
  failbackId: string,
  before: ChainHead,
): { manifest: Manifest; head: ChainHead } {
  const manifest = parseManifest(key, body);
  const wrong =
    mismatch("failbackId", failbackId, manifest.failbackId) ??
    mismatch("number", before.number + 1, manifest.number) ??
    mismatch("previousSha256", before.sha256, manifest.previousSha256) ??
    mismatch("firstSequence", before.lastSequence + 1, manifest.firstSequence);
  if (wrong) throw corrupt(key, wrong.expected, wrong.got);
  return {
    manifest,
    head: { number: manifest.number, sha256: sha256Of(body), lastSequence: manifest.lastSequence },
  };
}

/** Reads a stored manifest and checks what can be checked without its neighbours. Fails `logCorrupt`. */
export function parseManifest(key: string, body: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw corrupt(key, "a JSON document", `${body.length} bytes that do not parse`, cause);
  }
  const problem = shapeProblem(value);
  if (problem) throw corrupt(key, problem, "something else");
  const manifest = value as Manifest;
  const { firstSequence, lastSequence, objects } = manifest;
  if (lastSequence < firstSequence - 1) {
    throw corrupt(key, `lastSequence of at least ${firstSequence - 1}`, String(lastSequence));
  }
  for (const object of objects) {
    const count = countSequences(object.sequences);
    if (count === undefined)
      throw corrupt(key, `ascending runs for ${object.key}`, JSON.stringify(object.sequences));
    if (count !== object.events)
      throw corrupt(key, `${object.events} numbers for ${object.key}`, String(count));
  }
  const hole = firstHole(objects, firstSequence, lastSequence);
  if (hole !== undefined) {
    throw corrupt(
      key,
      `each sequence from ${firstSequence} to ${lastSequence} once`,
      `a hole or repeat at ${hole}`,
    );
  }
  return manifest;
}

const hash = /^[0-9a-f]{64}$/;

/** Each field with what it must be. `schemas/manifest.schema.json` says the same. */
const shape: readonly [field: string, expected: string, holds: (value: unknown) => boolean][] = [
  ["version", "version 1", (value) => value === 1],
  ["failbackId", "a failbackId", (value) => isText(value) && value !== ""],
  ["number", "a number from 1", (value) => isCount(value) && value >= 1],
  ["previousSha256", "previousSha256 of 64 hex digits", isHash],
  [
    "writer",
    "a writer with host and run",
    (value) => isRecord(value) && isText(value.host) && isText(value.run),
  ],
  ["writtenAt", "writtenAt", isText],
  ["firstSequence", "a firstSequence from 1", (value) => isCount(value) && value >= 1],
  ["lastSequence", "a lastSequence", isCount],
  ["firstToken", "a firstToken", (value) => value !== undefined],
  ["lastToken", "a lastToken", (value) => value !== undefined],
  ["lastOperationTime", "lastOperationTime with t and i", isTime],
  ["objects", "objects, each whole", (value) => Array.isArray(value) && value.every(isManifestObject)],
  ["flags", "flags, each whole", (value) => Array.isArray(value) && value.every(isFlag)],
  ["signals", "signals, each whole", (value) => Array.isArray(value) && value.every(isSignal)],
];

/** What a field should have been; `undefined` when all are right. */
function shapeProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "an object";
  return shape.find(([field, , holds]) => !holds(value[field]))?.[1];
}

function isTime(value: unknown): boolean {
  return isRecord(value) && isCount(value.t) && isCount(value.i);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isManifestObject(value: unknown): boolean {
  return (
    isRecord(value) &&
    [value.key, value.database, value.collection].every((text) => typeof text === "string") &&
    isCount(value.events) &&
    value.events > 0 &&
    Array.isArray(value.sequences) &&
    isCount(value.bytes) &&
    (value.rawBytes === undefined || isCount(value.rawBytes)) &&
    isHash(value.sha256) &&
    ["none", "zstd"].includes(String(value.compression)) &&
    ["scope", "held", "control"].includes(String(value.kind))
  );
}

const reasons = ["unknown-type", "lookup-null", "oversize", "unreadable", "no-document-key"];

function isFlag(value: unknown): boolean {
  return (
    isRecord(value) &&
    isCount(value.sequence) &&
    reasons.includes(String(value.reason)) &&
    typeof value.namespace === "string" &&
    (value.id === undefined || typeof value.id === "string")
  );
}

function isSignal(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.id === "string" &&
    typeof value.kind === "string" &&
    isCount(value.sequence)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && hash.test(value);
}

function mismatch(field: string, expected: string | number, got: string | number) {
  return expected === got ? undefined : { expected: `${field} ${expected}`, got: String(got) };
}

function corrupt(key: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "logCorrupt",
      what: `read the log's manifest ${key}`,
      expected,
      got,
      wayOut: "restore the object's version that was written first; if there is none, the log ends before it",
    },
    { cause },
  );
}
