import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import schema from "../../schemas/manifest.schema.json";
import { RoundtripError } from "../errors.ts";
import { type Manifest, noPrevious } from "./manifest.ts";
import { chainStart, checkChain, encodeManifest, parseManifest } from "./manifest-chain.ts";

const manifest: Manifest = {
  version: 1,
  failbackId: "fb-1",
  number: 1,
  previousSha256: noPrevious,
  writer: { host: "host-1", run: "run-1" },
  writtenAt: "2026-11-21T00:00:00.000Z",
  firstSequence: 1,
  lastSequence: 3,
  firstToken: { _data: "01" },
  lastToken: { _data: "03" },
  lastOperationTime: { t: 1_700_000_000, i: 1 },
  objects: [
    {
      key: "failback/fb-1/replication/shop/orders/x.bson",
      database: "shop",
      collection: "orders",
      events: 2,
      sequences: [1, 1, 3, 1],
      bytes: 200,
      sha256: "a".repeat(64),
      compression: "none",
      kind: "scope",
    },
    {
      key: "failback/fb-1/replication/shop/customers/y.bson",
      database: "shop",
      collection: "customers",
      events: 1,
      sequences: [2, 1],
      bytes: 50,
      sha256: "b".repeat(64),
      compression: "zstd",
      rawBytes: 100,
      kind: "scope",
    },
  ],
  flags: [{ sequence: 2, reason: "lookup-null", namespace: "shop.customers", id: '"7"' }],
  signals: [{ id: "canary-1", kind: "canary", sequence: 3 }],
};

const key = "failback/fb-1/manifests/0000000001.json";
const accepts = new Ajv2020({ strict: true, strictRequired: false }).compile(schema);

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function failureOf(run: () => unknown): RoundtripError {
  try {
    run();
  } catch (error) {
    if (error instanceof RoundtripError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Every path into the manifest, so that each field can be spoilt once. */
function* pathsOf(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (path.length > 0) yield path;
  // Tokens are opaque.
  if (path[0] === "firstToken" || path[0] === "lastToken") return;
  if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, name]);
  }
}

function spoilt(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(manifest) as unknown as Record<string | number, unknown>;
  let inner = copy;
  for (const name of path.slice(0, -1)) inner = inner[name] as Record<string | number, unknown>;
  if (value === undefined && !Array.isArray(inner)) delete inner[path.at(-1)!];
  else inner[path.at(-1)!] = value;
  return copy;
}

describe("manifests", () => {
  test("one that continues the chain is read, and gives the head for the next", () => {
    const { body, sha256 } = encodeManifest(manifest);
    const { head } = checkChain(key, body, "fb-1", chainStart);
    expect(head).toEqual({ number: 1, sha256, lastSequence: 3 });
    const next = {
      ...manifest,
      number: 2,
      previousSha256: sha256,
      firstSequence: 4,
      lastSequence: 3,
      objects: [],
    };
    expect(checkChain(key, encodeManifest(next).body, "fb-1", head).head.lastSequence).toBe(3);
  });

  test("another number, failback, predecessor or first sequence breaks the chain, and the message says which", () => {
    const { body, sha256 } = encodeManifest(manifest);
    const { head } = checkChain(key, body, "fb-1", chainStart);
    const next: Manifest = {
      ...manifest,
      number: 2,
      previousSha256: sha256,
      firstSequence: 4,
      lastSequence: 3,
      objects: [],
    };
    const changes: [Partial<Manifest>, string][] = [
      [{ number: 3 }, "number 2"],
      [{ failbackId: "fb-2" }, "failbackId fb-1"],
      [{ previousSha256: "c".repeat(64) }, `previousSha256 ${sha256}`],
      [{ firstSequence: 5, lastSequence: 4 }, "firstSequence 4"],
    ];
    for (const [change, expected] of changes) {
      const failure = failureOf(() =>
        checkChain(key, encodeManifest({ ...next, ...change }).body, "fb-1", head),
      );
      expect([failure.kind, failure.expected]).toEqual(["logCorrupt", expected]);
      expect(failure.what).toContain(key);
    }
  });

  test("a hole, a repeat and a wrong count of sequence numbers are found", () => {
    const [first, second] = manifest.objects;
    const wrong = [
      [first!],
      [first!, { ...second!, sequences: [3, 1] }],
      [{ ...first!, events: 3 }, second!],
      [first!, { ...second!, sequences: [2, 2], events: 2 }],
    ];
    for (const objects of wrong) {
      expect(failureOf(() => parseManifest(key, bytesOf({ ...manifest, objects }))).kind).toBe("logCorrupt");
    }
  });

  test("bytes cut anywhere are refused", () => {
    const { body } = encodeManifest(manifest);
    for (let length = 0; length < body.length - 1; length += 7) {
      expect(failureOf(() => parseManifest(key, body.subarray(0, length))).kind).toBe("logCorrupt");
    }
  });

  test("the schema and the program refuse the same spoilt fields", () => {
    expect(accepts(manifest)).toBe(true);
    let spoiled = 0;
    for (const path of pathsOf(manifest)) {
      for (const value of [undefined, null, "", -1, {}, [], "text"]) {
        const candidate = spoilt(path, value);
        const accepted = accepts(JSON.parse(JSON.stringify(candidate)));
        let parsed = true;
        try {
          parseManifest(key, bytesOf(candidate));
        } catch {
          parsed = false;
        }
        // The program also checks what a schema can't say, so it may refuse more, never less.
        if (!accepted) expect({ path, value, parsed }).toEqual({ path, value, parsed: false });
        spoiled++;
      }
    }
    expect(spoiled).toBeGreaterThan(200);
  });

  test("what the program refuses by shape, the schema refuses, too", () => {
    for (const name of Object.keys(manifest)) {
      expect(accepts(spoilt([name], undefined))).toBe(false);
      expect(failureOf(() => parseManifest(key, bytesOf(spoilt([name], undefined)))).kind).toBe("logCorrupt");
    }
  });
});
