import { Question, some } from "./line.ts";
import type { DataFacts, DeclaredFacts, Fact, PreflightLine } from "./model.ts";

const asked = "make MongoDB answer the host first, then run preflight again";

/** The lines about MongoDB's collections and documents: AWS DMS user guide, limits of MongoDB as a source. */
export function dataLines(data: Fact<DataFacts>, declared: DeclaredFacts): PreflightLine[] {
  return [collections(data, declared), ...documents(data)];
}

function collections(data: Fact<DataFacts>, { namespaces }: DeclaredFacts): PreflightLine {
  const question = new Question("MongoDB", "declared collections", "each collection of tasks.yaml is there");
  return question.of(data, asked, (found) => {
    const there = new Set(found.namespaces);
    const missing = namespaces.filter((namespace) => !there.has(namespace));
    if (missing.length === 0) return question.ok(`all ${namespaces.length}`);
    return question.failed(
      `not there: ${some(missing)}`,
      "correct the names in tasks.yaml, or create them on MongoDB",
    );
  });
}

function documents(data: Fact<DataFacts>): PreflightLine[] {
  const count = "value" in data ? data.value.sampledDocuments : 0;
  const sampled = count === 0 ? "no documents there yet" : `none in ${count} documents looked at`;
  const ids = new Question(
    "MongoDB",
    "_id values",
    "texts of at most 200 characters: DMS takes no longer ones",
  );
  const nesting = new Question("MongoDB", "nesting", "at most 97 levels: DMS fails beyond");
  const names = new Question("MongoDB", "field and collection names", "no $ in a name: DMS fails on it");
  const changed = new Question("MongoDB", "what DMS carries over as it is", "plain collections and indexes");
  const leaveOut = "change these documents, or leave their collections out of tasks.yaml";
  return [
    ids.of(data, asked, ({ longIds }) =>
      longIds.length === 0 ? ids.ok(sampled) : ids.failed(some(longIds), leaveOut),
    ),
    nesting.of(data, asked, ({ deep }) =>
      deep.length === 0 ? nesting.ok(sampled) : nesting.failed(some(deep), leaveOut),
    ),
    names.of(data, asked, ({ dollarNames }) =>
      dollarNames.length === 0 ? names.ok(sampled) : names.failed(some(dollarNames), leaveOut),
    ),
    changed.of(data, asked, (found) =>
      found.changed.length === 0
        ? changed.ok("nothing else seen")
        : changed.note(
            some(found.changed),
            "DMS migrates no secondary index and makes plain collections: create on DocumentDB by hand what the applications need",
          ),
    ),
  ];
}
