/** Table mappings: which collections a task moves. DMS's wildcards, case-sensitive. */

export interface Selection {
  readonly id: string;
  readonly action: "include" | "exclude" | "explicit";
  readonly schema: string;
  readonly table: string;
  readonly loadOrder: number;
}

/** The text isn't table mappings DMS accepts; the message says which rule and why. */
export class MappingError extends Error {}

interface RawRule {
  "rule-type"?: unknown;
  "rule-id"?: unknown;
  "rule-name"?: unknown;
  "rule-action"?: unknown;
  "object-locator"?: { "schema-name"?: unknown; "table-name"?: unknown };
  filters?: unknown[];
  "load-order"?: unknown;
}

function parseRule(rule: RawRule): Selection {
  const id = String(rule["rule-id"] ?? "");
  const action = rule["rule-action"];
  const locator = rule["object-locator"];
  const schema = locator?.["schema-name"];
  const table = locator?.["table-name"];
  if (!/^\d+$/.test(id))
    throw new MappingError(`rule-id: expected a number, got ${JSON.stringify(rule["rule-id"])}`);
  if (typeof rule["rule-name"] !== "string") throw new MappingError(`rule ${id}: expected a rule-name`);
  if (action !== "include" && action !== "exclude" && action !== "explicit") {
    throw new MappingError(
      `rule ${id}: expected rule-action include, exclude or explicit, got ${JSON.stringify(action)}`,
    );
  }
  if (typeof schema !== "string" || typeof table !== "string" || schema === "" || table === "") {
    throw new MappingError(`rule ${id}: expected schema-name and table-name in object-locator`);
  }
  if (action === "explicit" && /%/.test(schema + table)) {
    throw new MappingError(`rule ${id}: an explicit rule names one table, it can't hold wildcards`);
  }
  if (rule.filters && rule.filters.length > 0)
    throw new MappingError(`rule ${id}: source filters are not supported for MongoDB`);
  return { id, action, schema, table, loadOrder: Number(rule["load-order"] ?? 0) };
}

/**
 * The selection rules of a task's TableMappings.
 * @throws MappingError for what DMS refuses
 */
export function parseMappings(text: string): Selection[] {
  let parsed: { rules?: RawRule[] };
  try {
    parsed = JSON.parse(text) as { rules?: RawRule[] };
  } catch (cause) {
    throw new MappingError("TableMappings is not JSON", { cause });
  }
  if (!Array.isArray(parsed.rules)) throw new MappingError("TableMappings: expected an array called rules");
  const unique = (field: "rule-id" | "rule-name") => {
    const values = parsed.rules!.map((rule) => String(rule[field]));
    const repeated = values.find((value, index) => values.indexOf(value) !== index);
    if (repeated !== undefined) throw new MappingError(`${field} ${repeated} is used more than once`);
  };
  unique("rule-id");
  unique("rule-name");
  const selections = parsed.rules.filter((rule) => rule["rule-type"] === "selection").map(parseRule);
  if (!selections.some(({ action }) => action !== "exclude")) {
    throw new MappingError("No tables were selected: expected at least one selection rule that includes");
  }
  return selections;
}

/** DMS's pattern as a regular expression: % any run, _ one character, [ab] and [a-d] one of them, [_] an underscore. */
export function patternOf(pattern: string): RegExp {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    const close = character === "[" ? pattern.indexOf("]", index + 1) : -1;
    if (close > index + 1) {
      const inside = pattern.slice(index + 1, close).replace(/[\\^]/g, "\\$&");
      source += `[${inside}]`;
      index = close;
    } else if (character === "%") source += ".*";
    else if (character === "_") source += ".";
    else source += character.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  return new RegExp(`^${source}$`, "su");
}

/** The one name a pattern matches; undefined when it can match several. */
function literalOf(pattern: string): string | undefined {
  const literal = pattern.replace(/\[(.)\]/g, "$1");
  const wild = pattern.replace(/\[.\]/g, "");
  return /[%_[]/.test(wild) ? undefined : literal;
}

/** Whether the rules select a collection: named explicitly, or included and not excluded. */
export class Selector {
  readonly #rules: { rule: Selection; schema: RegExp; table: RegExp }[];
  readonly #known = new Map<string, boolean>();

  constructor(rules: readonly Selection[]) {
    this.#rules = rules.map((rule) => ({
      rule,
      schema: patternOf(rule.schema),
      table: patternOf(rule.table),
    }));
  }

  selects(schema: string, table: string): boolean {
    const name = `${schema}.${table}`;
    let selected = this.#known.get(name);
    if (selected === undefined) {
      selected = this.#decide(schema, table);
      this.#known.set(name, selected);
    }
    return selected;
  }

  #decide(schema: string, table: string): boolean {
    if (schema === "local" || schema === "admin" || schema === "config" || table.startsWith("system."))
      return false;
    let included = false;
    for (const { rule, schema: schemas, table: tables } of this.#rules) {
      if (rule.action === "explicit") {
        if (rule.schema === schema && rule.table === table) return true;
      } else if (schemas.test(schema) && tables.test(table)) {
        if (rule.action === "exclude") return false;
        included = true;
      }
    }
    return included;
  }

  /** The only databases the rules can select from; undefined when a rule's wildcard leaves that open. */
  databases(): string[] | undefined {
    const names = this.#rules
      .filter(({ rule }) => rule.action !== "exclude")
      .map(({ rule }) => (rule.action === "explicit" ? rule.schema : literalOf(rule.schema)));
    return names.includes(undefined) ? undefined : [...new Set(names as string[])];
  }

  /** Higher goes first. */
  loadOrder(schema: string, table: string): number {
    const matching = this.#rules.filter((each) => each.schema.test(schema) && each.table.test(table));
    return Math.max(0, ...matching.map(({ rule }) => rule.loadOrder));
  }

  /** Collections rules name exactly, whether they exist or not. */
  explicit(): { schema: string; table: string }[] {
    return this.#rules
      .filter(({ rule }) => rule.action === "explicit")
      .map(({ rule }) => ({ schema: rule.schema, table: rule.table }));
  }
}
