import { documentLength } from "../../core/bson/raw.ts";
import { EventReader } from "../../core/changes/event.ts";
import type { ManifestObject } from "../../core/changes/manifest.ts";
import { sequencesOf } from "../../core/changes/sequence.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import type { LogEvent } from "./window.ts";

/**
 * Fetches one object of the log and reads its events. Fails `logCorrupt` naming the object when it is missing, its
 * bytes are not those the manifest hashed, or they are not exactly the events the manifest counts.
 */
export async function readLogObject(store: ObjectStore, object: ManifestObject): Promise<LogEvent[]> {
  const found = await store.get(object.key);
  if (!found) throw corrupt(object.key, "the object that its manifest names", "no such object");
  const sha256 = sha256Of(found.body);
  if (sha256 !== object.sha256) {
    throw corrupt(
      object.key,
      `${object.bytes} bytes with sha256 ${object.sha256}`,
      `${found.body.length} bytes with sha256 ${sha256}`,
    );
  }
  const bytes = object.compression === "zstd" ? await unpack(object.key, found.body) : found.body;
  return eventsIn(object, bytes);
}

function eventsIn(object: ManifestObject, bytes: Uint8Array): LogEvent[] {
  const reader = new EventReader();
  const events: LogEvent[] = [];
  const sequences = sequencesOf(object.sequences);
  let offset = 0;
  while (offset < bytes.length) {
    const length = lengthAt(object.key, bytes, offset);
    const sequence = sequences.next();
    if (sequence.done) throw corrupt(object.key, `${object.events} events`, "more");
    const raw = bytes.subarray(offset, offset + length);
    const { kind, database, collection } = object;
    events.push({ sequence: sequence.value, kind, database, collection, raw, header: reader.read(raw) });
    offset += length;
  }
  if (events.length !== object.events) {
    throw corrupt(object.key, `${object.events} events`, String(events.length));
  }
  return events;
}

function lengthAt(key: string, bytes: Uint8Array, offset: number): number {
  try {
    return documentLength(bytes, offset);
  } catch (cause) {
    throw corrupt(key, `a whole event at byte ${offset}`, "bytes that are no BSON document", cause);
  }
}

async function unpack(key: string, body: Uint8Array): Promise<Uint8Array> {
  try {
    return await Bun.zstdDecompress(body);
  } catch (cause) {
    throw corrupt(key, "zstd data", (cause as Error).message, cause);
  }
}

function corrupt(key: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "logCorrupt",
      what: `read the log object ${key}`,
      expected,
      got,
      wayOut:
        "restore the object's version from the bucket; without it the events in it are lost and the verdict is UNKNOWN",
    },
    { cause },
  );
}
