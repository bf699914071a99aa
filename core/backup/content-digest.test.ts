import { expect, test } from "bun:test";
import { serialize } from "bson";
import fc from "fast-check";
import { ContentDigest } from "./content-digest.ts";

function digestOf(documents: readonly Uint8Array[]): string {
  const digest = new ContentDigest();
  for (const document of documents) digest.add(document);
  return String(digest);
}

const documents = fc
  .uniqueArray(fc.integer(), { minLength: 1, maxLength: 30 })
  .map((ids) => ids.map((_id) => serialize({ _id, text: `document ${_id}` })));

test("the same documents in any order have the same digest", () => {
  fc.assert(
    fc.property(
      documents.chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      ),
      ([all, shuffled]) => digestOf(all) === digestOf(shuffled),
    ),
  );
});

test("one bit that differs, a document more or less, is another digest", () => {
  fc.assert(
    fc.property(documents, fc.nat(), fc.nat(), (all, which, where) => {
      const before = digestOf(all);
      expect(digestOf(all.slice(1))).not.toBe(before);
      const changed = all.map((document) => document.slice());
      const document = changed[which % all.length]!;
      document[where % document.length]! ^= 1;
      expect(digestOf(changed)).not.toBe(before);
    }),
  );
});
