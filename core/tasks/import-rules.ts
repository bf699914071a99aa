import { dmsPattern } from "./dms-pattern.ts";
import type { Collection, ParallelLoad } from "./model.ts";
import { quoted } from "./names.ts";

/** A rule of old table mappings, as far as it is understood. */
export type OldRule = Readonly<Record<string, unknown>>;

export interface ImportNotes {
  /** Carried over, in another way than before. */
  readonly notes: string[];
  /** Not carried over. */
  readonly losses: string[];
}

/** Database to collections, in the order they were found. */
export type FoundCollections = Map<string, Map<string, Collection>>;

/** `database.collection` of everything the source has, when someone listed it. */
export type SourceNames = readonly { readonly database: string; readonly collection: string }[];

/** Works the rules of one task out as DMS does: what an include or explicit takes, less what an exclude takes. */
export function collectionsOfRules(
  rules: readonly OldRule[],
  source: SourceNames | undefined,
  where: string,
  out: ImportNotes,
): FoundCollections {
  const found: FoundCollections = new Map();
  const actions = rules.map((rule) => String(rule["rule-action"] ?? "include"));
  for (const [index, rule] of rules.entries())
    if (rule["rule-type"] === "selection" && actions[index] !== "exclude")
      include(rule, actions[index]!, source, `${where} rule ${ruleName(rule, index)}`, found, out);
  for (const [index, rule] of rules.entries())
    if (rule["rule-type"] === "selection" && actions[index] === "exclude")
      exclude(rule, `${where} rule ${ruleName(rule, index)}`, found, out);
  for (const [index, rule] of rules.entries()) {
    const place = `${where} rule ${ruleName(rule, index)}`;
    if (rule["rule-type"] === "table-settings") tableSettings(rule, place, found, out);
    else if (rule["rule-type"] !== "selection")
      out.losses.push(`${place}: rule-type ${quoted(String(rule["rule-type"]))} is not known to tasks.yaml`);
  }
  return found;
}

function include(
  rule: OldRule,
  action: string,
  source: SourceNames | undefined,
  place: string,
  found: FoundCollections,
  out: ImportNotes,
): void {
  const { schema, table } = locatorOf(rule);
  if (action !== "include" && action !== "explicit") {
    out.losses.push(`${place}: rule-action ${quoted(action)} is not known`);
    return;
  }
  if (Array.isArray(rule.filters) && rule.filters.length > 0)
    out.losses.push(`${place}: filters; DMS has none for MongoDB, tasks.yaml neither`);
  const loadOrder = rule["load-order"] === undefined ? undefined : Number(rule["load-order"]);
  const add = (database: string, name: string) => {
    const collections = found.get(database) ?? new Map<string, Collection>();
    found.set(database, collections);
    if (!collections.has(name))
      collections.set(name, { name, ...(Number.isSafeInteger(loadOrder) ? { loadOrder: loadOrder! } : {}) });
  };
  if (action === "explicit") {
    add(schema, table);
    return;
  }
  const [databases, tables] = [dmsPattern(schema), dmsPattern(table)];
  const exact = databases.literal !== undefined && tables.literal !== undefined;
  const shown = quoted(`${schema}.${table}`);
  if (exact) add(databases.literal!, tables.literal!);
  if (!databases.wild && !tables.wild) return;
  if (!source) {
    if (exact) out.notes.push(`${place}: _ in ${shown} stood for any character; taken as the name itself`);
    else
      out.losses.push(
        `${place}: which collections ${shown} takes can't be told; give --names with the source's collections`,
      );
    return;
  }
  const matched = source.filter(
    ({ database, collection }) => databases.matches(database) && tables.matches(collection),
  );
  for (const { database, collection } of matched) add(database, collection);
  const names = matched.map(({ database, collection }) => `${database}.${collection}`);
  const others = exact ? names.filter((name) => name !== `${databases.literal}.${tables.literal}`) : names;
  if (!exact)
    out.notes.push(
      `${place}: ${shown} becomes the ${names.length} collections it takes now${names.length ? ` (${names.join(", ")})` : ""}; new ones must be added by name`,
    );
  else if (others.length > 0) out.notes.push(`${place}: ${shown} took ${others.join(", ")} as well; kept`);
}

function exclude(rule: OldRule, place: string, found: FoundCollections, out: ImportNotes): void {
  const { schema, table } = locatorOf(rule);
  const [databases, tables] = [dmsPattern(schema), dmsPattern(table)];
  const removed: string[] = [];
  for (const [database, collections] of found)
    for (const name of [...collections.keys()])
      if (databases.matches(database) && tables.matches(name)) {
        collections.delete(name);
        removed.push(`${database}.${name}`);
      }
  const shown = quoted(`${schema}.${table}`);
  out.notes.push(
    `${place}: exclude ${shown} ${removed.length > 0 ? `left out ${removed.join(", ")}` : "took nothing away"}`,
  );
}

function tableSettings(rule: OldRule, place: string, found: FoundCollections, out: ImportNotes): void {
  const { schema, table } = locatorOf(rule);
  const collection = found.get(schema)?.get(table);
  const known = new Set(["rule-type", "rule-id", "rule-name", "object-locator", "parallel-load"]);
  for (const key of Object.keys(rule).filter((name) => !known.has(name)))
    out.losses.push(`${place}: ${key} of ${quoted(`${schema}.${table}`)} has no place in tasks.yaml`);
  if (rule["parallel-load"] === undefined) return;
  const load = parallelLoadOf(rule["parallel-load"]);
  if (collection && load) found.get(schema)!.set(table, { ...collection, parallelLoad: load });
  else
    out.losses.push(
      `${place}: parallel-load of ${quoted(`${schema}.${table}`)} ${collection ? "is of a kind tasks.yaml doesn't have" : "is for a collection no rule takes"}`,
    );
}

const partitionsMax = 49;

function parallelLoadOf(value: unknown): ParallelLoad | undefined {
  const load = (value ?? {}) as Readonly<Record<string, unknown>>;
  const extra = Object.keys(load).filter(
    (key) => !["type", "number-of-partitions", "columns", "boundaries"].includes(key),
  );
  if (extra.length > 0) return undefined;
  if (load.type === "partitions-auto") {
    // DMS's own number where none is given.
    const partitions = Number(load["number-of-partitions"] ?? 16);
    return Number.isInteger(partitions) && partitions >= 1 && partitions <= partitionsMax
      ? { partitions }
      : undefined;
  }
  const { columns, boundaries } = load;
  const onId = Array.isArray(columns) && columns.length === 1 && columns[0] === "_id";
  if (load.type !== "ranges" || !onId || !Array.isArray(boundaries)) return undefined;
  const values = boundaries.flat();
  return values.length > 0 && values.every((text): text is string => typeof text === "string")
    ? { boundaries: values }
    : undefined;
}

function locatorOf(rule: OldRule): { schema: string; table: string } {
  const locator = (rule["object-locator"] ?? {}) as Readonly<Record<string, unknown>>;
  return { schema: String(locator["schema-name"] ?? ""), table: String(locator["table-name"] ?? "") };
}

function ruleName(rule: OldRule, index: number): string {
  return quoted(String(rule["rule-name"] ?? rule["rule-id"] ?? index + 1).trim());
}
