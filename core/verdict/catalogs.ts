import type { Catalog, CatalogCollection, Scope } from "../failback/documents.ts";

/** What the comparison of catalogs treats as equal, in the verdict's words. */
export const catalogNormalisations: readonly string[] = [
  "index fields v, ns, name, background, 2dsphereIndexVersion and textIndexVersion are not compared: key and options are",
  "index options unique, sparse and hidden set to false equal their absence",
  "the index on _id is not compared: every collection has it",
  "collection options storageEngine, autoIndexId, uuid, and capped set to false, are not compared",
  "validationLevel strict and validationAction error equal their absence",
];

export interface CatalogDifference {
  /** Names the thing and both sides. */
  readonly what: string;
  readonly accepted: boolean;
}

export interface Catalogs {
  readonly documentdb: Catalog;
  readonly mongodb: Catalog;
  /** As they were before the failback, where that is known. */
  readonly before?: { readonly documentdb: Catalog; readonly mongodb: Catalog };
  /** Differences a person has looked at and accepted, by their text. */
  readonly accepted: ReadonlySet<string>;
}

/**
 * Differences between the two catalogs in the scope (invariants.md 20, 23). One that stood before the failback and has
 * not moved since is accepted: nothing was lost through it. What DocumentDB's users changed meanwhile is said so.
 */
export function compareCatalogs(catalogs: Catalogs, scope: Scope): CatalogDifference[] {
  const documentdb = aspectsOf(catalogs.documentdb, scope);
  const mongodb = aspectsOf(catalogs.mongodb, scope);
  const before = catalogs.before && {
    documentdb: aspectsOf(catalogs.before.documentdb, scope),
    mongodb: aspectsOf(catalogs.before.mongodb, scope),
  };
  const differences: CatalogDifference[] = [];
  for (const aspect of [...new Set([...documentdb.keys(), ...mongodb.keys()])].sort()) {
    const left = documentdb.get(aspect);
    const right = mongodb.get(aspect);
    if (left === right || isImplied(aspect, documentdb, mongodb)) continue;
    const moved = {
      documentdb: before && before.documentdb.get(aspect) !== left,
      mongodb: before && before.mongodb.get(aspect) !== right,
    };
    const since = [
      ...(moved.documentdb ? ["changed on DocumentDB during the failback"] : []),
      ...(moved.mongodb ? ["changed on MongoDB since it was recorded"] : []),
    ];
    const note = since.length > 0 ? ` (${since.join(", ")})` : "";
    const what = `${aspect}: DocumentDB ${left ?? "none"}, MongoDB ${right ?? "none"}${note}`;
    const stood = before !== undefined && since.length === 0;
    differences.push({ what, accepted: stood || catalogs.accepted.has(what) });
  }
  return differences;
}

/** Of a collection that one side lacks, only that is said, not each of its indexes. */
function isImplied(aspect: string, left: Aspects, right: Aspects): boolean {
  const [head, rest] = split(aspect);
  return rest !== "" && left.has(head) !== right.has(head);
}

function split(aspect: string): [string, string] {
  const at = aspect.search(/ (index|option) /);
  return at < 0 ? [aspect, ""] : [aspect.slice(0, at), aspect.slice(at)];
}

/** Everything that can differ, by its name, with its value in canonical text. */
type Aspects = ReadonlyMap<string, string>;

function aspectsOf(catalog: Catalog, scope: Scope): Aspects {
  const wanted = new Set(
    scope.databases.flatMap(({ name, collections }) => collections.map((each) => `${name}.${each}`)),
  );
  const aspects = new Map<string, string>();
  for (const collection of catalog.collections) {
    const namespace = `${collection.database}.${collection.name}`;
    if (wanted.has(namespace)) addCollection(aspects, namespace, collection);
  }
  return aspects;
}

function addCollection(aspects: Map<string, string>, namespace: string, collection: CatalogCollection): void {
  aspects.set(namespace, "present");
  for (const [name, value] of Object.entries(collection.options)) {
    if (isDefaultOption(name, value)) continue;
    aspects.set(`${namespace} option ${name}`, JSON.stringify(value));
  }
  for (const index of collection.indexes) {
    const key = JSON.stringify(index.key);
    if (key === '{"_id":1}') continue;
    const options = indexOptions(index);
    const name = `${namespace} index ${key}`;
    const before = aspects.get(name);
    // One key may have several indexes that differ in collation or filter.
    aspects.set(name, before ? [before, options].sort().join(" and ") : options);
  }
}

const ignoredIndexFields = new Set([
  "v",
  "ns",
  "key",
  "name",
  "background",
  "2dsphereIndexVersion",
  "textIndexVersion",
]);
const falseByDefault = new Set(["unique", "sparse", "hidden"]);

function indexOptions(index: Readonly<Record<string, unknown>>): string {
  const options = Object.entries(index)
    .filter(
      ([name, value]) => !ignoredIndexFields.has(name) && !(falseByDefault.has(name) && value === false),
    )
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return options.length === 0 ? "plain" : JSON.stringify(Object.fromEntries(options));
}

const ignoredOptions = new Set(["storageEngine", "autoIndexId", "uuid"]);

function isDefaultOption(name: string, value: unknown): boolean {
  if (ignoredOptions.has(name)) return true;
  if (name === "capped") return value === false;
  if (name === "validationLevel") return value === "strict";
  if (name === "validationAction") return value === "error";
  return false;
}
