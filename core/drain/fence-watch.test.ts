import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Manifest, ManifestObject } from "../changes/manifest.ts";
import { FenceWatch } from "./fence-watch.ts";

type Kind = ManifestObject["kind"] | "sentinel";

/** Manifests over a list of events, split as given; each event is an object of its own. */
function manifestsOf(kinds: readonly Kind[], sizes: readonly number[]): Manifest[] {
  const manifests: Manifest[] = [];
  let sequence = 1;
  for (const size of sizes) {
    const events = kinds.slice(sequence - 1, sequence - 1 + size);
    const firstSequence = sequence;
    const objects = events.map((kind, index) =>
      object(kind === "sentinel" ? "control" : kind, firstSequence + index),
    );
    const signals = events.flatMap((kind, index) =>
      kind === "sentinel" ? [{ id: "s1", kind: "sentinel", sequence: firstSequence + index }] : [],
    );
    sequence += events.length;
    manifests.push({ firstSequence, lastSequence: sequence - 1, objects, signals } as unknown as Manifest);
  }
  return manifests;
}

function object(kind: ManifestObject["kind"], sequence: number): ManifestObject {
  const database = kind === "control" ? "roundtrip_control" : kind === "scope" ? "shop" : "other";
  return { kind, database, collection: "c", sequences: [sequence, 1] } as unknown as ManifestObject;
}

const watched = (kinds: readonly Kind[], sizes: readonly number[]) => {
  const watch = new FenceWatch("s1");
  for (const manifest of manifestsOf(kinds, sizes)) watch.take(manifest);
  return watch;
};

describe("failback 12: the fence in the log", () => {
  test("is not drained while the sentinel is missing", () => {
    expect(watched(["scope", "scope"], [1, 1]).drained).toBe(false);
  });

  test("is drained with the sentinel last, and with held and control events behind it", () => {
    expect(watched(["scope", "sentinel", "control", "held"], [1, 3]).drained).toBe(true);
  });

  test("is broken by an application write behind the sentinel, which is named", () => {
    const watch = watched(["sentinel", "held", "scope", "scope"], [2, 2]);
    expect(watch.drained).toBe(false);
    expect(watch.breach).toEqual({ sequence: 3, namespace: "shop.c" });
  });

  test("the sentinel of another fence is none", () => {
    const watch = new FenceWatch("s2");
    for (const manifest of manifestsOf(["sentinel"], [1])) watch.take(manifest);
    expect(watch.sentinelSequence).toBeUndefined();
  });

  test("decides the same however the events are spread over manifests", () => {
    const kind = fc.constantFrom<Kind>("scope", "held", "control");
    const log = fc.tuple(fc.array(kind, { maxLength: 8 }), fc.array(kind, { maxLength: 8 }));
    fc.assert(
      fc.property(
        log,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 20, maxLength: 20 }),
        ([before, after], sizes) => {
          const watch = watched([...before, "sentinel", ...after], sizes);
          const at = after.indexOf("scope");
          expect(watch.sentinelSequence).toBe(before.length + 1);
          expect(watch.drained).toBe(at < 0);
          expect(watch.breach?.sequence).toBe(at < 0 ? undefined : before.length + 2 + at);
        },
      ),
    );
  });
});
