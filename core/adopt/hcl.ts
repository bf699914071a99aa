/** Writes Terraform's language, in the layout `terraform fmt` gives. Text from outside becomes values only, never syntax. */

/** A reference or a call, written as it is; only for text this program wrote itself or has checked. */
export class HclExpression {
  constructor(readonly text: string) {}
}

export type HclValue =
  | string
  | number
  | boolean
  | null
  | HclExpression
  | readonly HclValue[]
  | { readonly [key: string]: HclValue };

export type HclItem =
  | { readonly kind: "attribute"; readonly name: string; readonly value: HclValue }
  | {
      readonly kind: "block";
      readonly type: string;
      readonly labels: readonly string[];
      readonly body: readonly HclItem[];
    }
  | { readonly kind: "comment"; readonly text: string };

export function expression(text: string): HclExpression {
  return new HclExpression(text);
}

export function attribute(name: string, value: HclValue): HclItem {
  return { kind: "attribute", name, value };
}

/** One attribute a key, in the order given; `undefined` and null are left out. */
export function attributes(values: Readonly<Record<string, HclValue | undefined>>): HclItem[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [attribute(name, value)],
  );
}

export function block(type: string, labels: readonly string[], ...body: readonly HclItem[]): HclItem {
  return { kind: "block", type, labels, body };
}

export function comment(text: string): HclItem {
  return { kind: "comment", text };
}

/** A whole file. */
export function hclText(items: readonly HclItem[]): string {
  return `${bodyLines(items, "").join("\n")}\n`;
}

/**
 * A string literal. `${` and `%{` would begin a template: they are doubled, as people know it; behind a character of their
 * own kind the doubling would be read otherwise, so there the brace is written by its code.
 */
export function hclString(text: string): string {
  const escaped = text.replace(/[\\"\p{Cc}\p{Cf}\u2028\u2029]/gu, escapeCharacter);
  const inert = escaped.replace(/[$%]+\{/g, (found) =>
    found.length === 2 ? `${found[0]}${found}` : `${found.slice(0, -1)}\\u007b`,
  );
  return `"${inert}"`;
}

function escapeCharacter(character: string): string {
  const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" }[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

function bodyLines(items: readonly HclItem[], indent: string): string[] {
  const lines: string[] = [];
  let before: HclItem | undefined;
  for (let at = 0; at < items.length; at++) {
    const item = items[at]!;
    const apart = item.kind === "block" || before?.kind === "block";
    if (before && apart && before.kind !== "comment") lines.push("");
    if (item.kind === "comment") {
      if (before && before.kind !== "comment" && !apart) lines.push("");
      lines.push(...item.text.split("\n").map((line) => `${indent}# ${line}`));
    } else if (item.kind === "block") lines.push(...blockLines(item, indent));
    else {
      const run = runOfAttributes(items, at);
      lines.push(
        ...pairLines(
          run.map(({ name, value }) => [name, value]),
          indent,
        ),
      );
      at += run.length - 1;
    }
    before = items[at];
  }
  return lines;
}

type Attribute = Extract<HclItem, { kind: "attribute" }>;

function runOfAttributes(items: readonly HclItem[], from: number): Attribute[] {
  const run: Attribute[] = [];
  for (const item of items.slice(from)) {
    if (item.kind !== "attribute") break;
    run.push(item);
  }
  return run;
}

function blockLines(item: Extract<HclItem, { kind: "block" }>, indent: string): string[] {
  const head = [item.type, ...item.labels.map(hclString)].join(" ");
  if (item.body.length === 0) return [`${indent}${head} {}`];
  return [`${indent}${head} {`, ...bodyLines(item.body, `${indent}  `), `${indent}}`];
}

/** `name = value` lines; neighbours of one line each have their signs below one another. */
function pairLines(pairs: readonly (readonly [string, HclValue])[], indent: string): string[] {
  const written = pairs.map(([name, value]) => ({ name, lines: valueLines(value, indent) }));
  const lines: string[] = [];
  for (let at = 0; at < written.length; ) {
    let end = at;
    while (end < written.length && written[end]!.lines.length === 1) end++;
    const group = end === at ? [written[at]!] : written.slice(at, end);
    const width = Math.max(...group.map(({ name }) => [...name].length));
    for (const {
      name,
      lines: [first, ...rest],
    } of group) {
      const padding = " ".repeat(rest.length > 0 ? 0 : width - [...name].length);
      lines.push(`${indent}${name}${padding} = ${first}`, ...rest);
    }
    at += group.length;
  }
  return lines;
}

/** The first line without indent, the others with it. */
function valueLines(value: HclValue, indent: string): string[] {
  if (value instanceof HclExpression) return value.text.split("\n");
  if (typeof value === "string") return [hclString(value)];
  if (Array.isArray(value)) {
    const written = value.map((each: HclValue) => valueLines(each, indent).join("\n"));
    return `[${written.join(", ")}]`.split("\n");
  }
  if (value === null || typeof value !== "object") return [String(value)];
  const pairs = Object.entries(value).map(([key, each]) => [keyText(key), each as HclValue] as const);
  return pairs.length === 0 ? ["{}"] : ["{", ...pairLines(pairs, `${indent}  `), `${indent}}`];
}

/** Words that mean something else at the beginning of an object. */
const taken = new Set(["for", "if", "null", "true", "false"]);

function keyText(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !taken.has(key) ? key : hclString(key);
}
