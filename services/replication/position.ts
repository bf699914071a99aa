import { newestManifest } from "../../adapters/log/manifests.ts";
import { readJson } from "../../adapters/state/json.ts";
import { type ChainHead, chainStart, checkChain, parseManifest } from "../../core/changes/manifest-chain.ts";
import type { ResumePoint } from "../../core/changes/source.ts";
import { documentOfExtendedJson } from "../../core/changes/token.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { StartPoint } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";

/** Where a capture goes on, from S3 alone. */
export interface Position {
  readonly head: ChainHead;
  readonly from: ResumePoint;
}

/**
 * The newest manifest's token; before the first manifest the start point recorded at start (invariants.md 3), never
 * "now". Fails `logCorrupt` when the head of the chain is broken, `configuration` when there is neither.
 */
export async function findPosition(store: ObjectStore, failbackId: string): Promise<Position> {
  const newest = await newestManifest(store, failbackId);
  if (!newest) return { head: chainStart, from: await readStartPoint(store, failbackId) };
  const { manifest } = newest;
  const head = await checkHead(store, failbackId, manifest.number);
  const { lastToken, lastOperationTime: operationTime } = manifest;
  // Without a token (an invalidate ended the stream) the time says where to go on.
  const from =
    lastToken === null ? { operationTime } : { token: documentOfExtendedJson(lastToken), operationTime };
  return { head, from };
}

async function readStartPoint(store: ObjectStore, failbackId: string): Promise<ResumePoint> {
  const key = keysOf(failbackId).startPoint;
  const found = await readJson<StartPoint>(store, key);
  if (found) return { operationTime: found.value.operationTime };
  throw new RoundtripError({
    kind: "configuration",
    what: `find where to capture from in ${key}`,
    expected: "the start point, recorded before anything else",
    got: "no such object, and no manifest",
    wayOut: "run failback-start: it enables change streams and records the start point",
  });
}

/** The newest manifest must continue the one before it: nobody appends to a broken chain. */
async function checkHead(store: ObjectStore, failbackId: string, number: number): Promise<ChainHead> {
  const keys = keysOf(failbackId);
  const read = async (wanted: number) => {
    const found = await store.get(keys.manifest(wanted));
    if (found) return found.body;
    throw new RoundtripError({
      kind: "logCorrupt",
      what: `read the log's manifest ${keys.manifest(wanted)}`,
      expected: "the manifest before the newest one",
      got: "no such object",
      wayOut: "restore the object's version from the bucket",
    });
  };
  const body = await read(number);
  const before = number === 1 ? chainStart : headOfBody(keys.manifest(number - 1), await read(number - 1));
  return checkChain(keys.manifest(number), body, failbackId, before).head;
}

function headOfBody(key: string, body: Uint8Array): ChainHead {
  const { number, lastSequence } = parseManifest(key, body);
  return { number, lastSequence, sha256: sha256Of(body) };
}
