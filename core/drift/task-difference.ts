/** Whether a DMS task is made of what its declaration says. DMS adds keys of its own; those don't count. */
import { listed } from "../plan/words.ts";
import { dmsPattern } from "../tasks/dms-pattern.ts";
import type { MappingRule, TableMappings } from "../tasks/mappings.ts";
import type { DmsTaskSettings } from "../tasks/task-settings.ts";

/**
 * How DMS's mappings differ in meaning, in words; `undefined` when they don't. Ids and names of rules say nothing about
 * what is replicated.
 */
export function mappingsDifference(expected: TableMappings, got: unknown): string | undefined {
  const rules = rulesOf(got);
  if (!rules) return "text that is no table mappings";
  const [wanted, found] = [byPlace(expected.rules), byPlace(rules)];
  const without = [...wanted.keys()].filter((place) => !found.has(place));
  const also = [...found.keys()].filter((place) => !wanted.has(place));
  const other = [...wanted].filter(([place, rule]) => found.has(place) && found.get(place) !== rule);
  const parts = [
    without.length > 0 ? `without ${listed(without)}` : "",
    also.length > 0 ? `also ${listed(also)}` : "",
    other.length > 0 ? `other options for ${listed(other.map(([place]) => place))}` : "",
  ].filter((part) => part !== "");
  return parts.length > 0 ? parts.join("; ") : undefined;
}

/** How DMS's settings differ in what tasks.yaml decides: `FullLoadSettings.CommitRate 500, expected 10000`. */
export function settingsDifference(expected: DmsTaskSettings, got: unknown): string | undefined {
  if (!isRecord(got)) return "text that is no task settings";
  const differing: string[] = [];
  for (const [group, values] of Object.entries(expected)) {
    const found = isRecord(got[group]) ? got[group] : {};
    for (const [key, value] of Object.entries(values))
      if (found[key] !== value)
        differing.push(`${group}.${key} ${words(found[key])}, expected ${words(value)}`);
  }
  return differing.length > 0 ? listed(differing) : undefined;
}

function words(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

function rulesOf(mappings: unknown): readonly MappingRule[] | undefined {
  if (!isRecord(mappings) || !Array.isArray(mappings.rules)) return undefined;
  const rules: readonly unknown[] = mappings.rules;
  const whole = rules.every((rule) => isRecord(rule) && isRecord(rule["object-locator"]));
  return whole ? (rules as readonly MappingRule[]) : undefined;
}

/** Each rule as text without its id, by what it is about. */
function byPlace(rules: readonly MappingRule[]): Map<string, string> {
  const places = new Map<string, string>();
  for (const rule of rules.map(asExplicit)) {
    const { "schema-name": schema, "table-name": table } = rule["object-locator"];
    const kind = rule["rule-type"] === "selection" ? "" : ` (${rule["rule-type"]})`;
    const place = `${schema}.${table}${kind}`;
    const text = canonical({ ...rule, "rule-id": undefined, "rule-name": undefined });
    places.set(place, `${places.get(place) ?? ""}${text}`);
  }
  return places;
}

/**
 * A task that was adopted keeps its old `include` rules. One that names a collection means that collection; what its `_`
 * took besides is a collection nobody declared, and found as one.
 */
function asExplicit(rule: MappingRule): MappingRule {
  if (String(rule["rule-action"] ?? "") !== "include") return rule;
  const { "schema-name": schema, "table-name": table } = rule["object-locator"];
  const [database, collection] = [dmsPattern(schema).literal, dmsPattern(table).literal];
  if (database === undefined || collection === undefined) return rule;
  const locator = { "schema-name": database, "table-name": collection };
  return { ...rule, "rule-action": "explicit", "object-locator": locator };
}

/** JSON with keys in order, numbers as text, and without what DMS adds where nothing was said: null and empty lists. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isRecord(value)) return JSON.stringify(String(value));
  const said = Object.entries(value).filter(
    ([, each]) => each !== undefined && each !== null && !(Array.isArray(each) && each.length === 0),
  );
  return `{${said
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`)
    .join()}}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
