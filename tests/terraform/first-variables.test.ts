import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import first from "./first-variables.json" with { type: "json" };

interface First {
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
  readonly attributes?: readonly First[];
}

const terraform = join(import.meta.dirname, "../../terraform");
const page = readFileSync(join(terraform, "RETIRED.md"), "utf8");

/** Rows of one table of the page, cell by cell, without the code marks. */
function table(heading: string): string[][] {
  const section = new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, "m").exec(page)?.[1] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .slice(2, -2)
      .split(" | ")
      .map((cell) => cell.replace(/^`(.*)`$/, "$1")),
  );
}

const retired = new Set(table("Retired").map(([name]) => name!));
const renamed = new Map(table("Under another name").map(([name, now]) => [name!, now!]));
const changed = new Map(table("Other defaults").map(([name, was, is]) => [name!, { was, is }]));

/** The stack's variables by name: the text between the braces. */
function stackVariables(): ReadonlyMap<string, string> {
  const folder = join(terraform, "stack");
  const files = readdirSync(folder).filter((file) => file.startsWith("variables") && file.endsWith(".tf"));
  const text = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const found = new Map(
    [...text.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => [name!, body!]),
  );
  expect(found.size).toBe([...text.matchAll(/^variable /gm)].length);
  return found;
}

/** Type and default of a variable, or of an object's attribute, as Terraform writes them. */
function declared(body: string, attribute?: string): { type: string; default?: string } | undefined {
  if (attribute === undefined) {
    const type = /^ {2}type\s+=\s+(\w+(?:\(\w+)?)/m.exec(body)?.[1];
    const given = /^ {2}default\s+=\s+(.*)$/m.exec(body)?.[1];
    return type === undefined ? undefined : { type, ...(given === undefined ? {} : { default: given }) };
  }
  const found = new RegExp(
    `\\b${attribute}\\s+=\\s+(?:optional\\()?(\\w+(?:\\(\\w+\\))?)(?:, ("[^"]*"|[\\w.]+))?`,
  ).exec(body);
  return found ? { type: found[1]!, ...(found[2] === undefined ? {} : { default: found[2] }) } : undefined;
}

/** As Terraform would write it. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => written(each)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key} = ${written(each)}`)
    .join(", ")} }`;
}

const variables = first.variables as readonly First[];
const names = variables.flatMap(({ name, attributes = [] }) => [
  name,
  ...attributes.map((attribute) => `${name}.${attribute.name}`),
]);

describe("variables of the first set-up", () => {
  const stack = stackVariables();

  function check(given: First, full: string): void {
    if (retired.has(full)) return;
    const now = renamed.get(full) ?? full;
    const [name, attribute] = now.split(".");
    const body = stack.get(name!);
    const found = body === undefined ? undefined : declared(body, attribute);
    expect({ variable: full, found: found !== undefined }).toEqual({ variable: full, found: true });
    const plain = (type: string) => type.replace(/\)$/, "");
    expect({ variable: full, type: plain(found!.type) }).toEqual({ variable: full, type: plain(given.type) });
    const expected = changed.get(full);
    if (expected) {
      expect({ variable: full, was: expected.was }).toEqual({ variable: full, was: written(given.default) });
      expect({ variable: full, default: found!.default ?? "null" }).toEqual({
        variable: full,
        default: expected.is!,
      });
    } else if (given.default !== undefined)
      expect({ variable: full, default: found!.default }).toEqual({
        variable: full,
        default: written(given.default),
      });
  }

  for (const given of variables)
    test(`${given.name}: is there with its type and default, or is retired with a reason`, () => {
      check(given, given.name);
      if (retired.has(given.name)) return;
      for (const attribute of given.attributes ?? []) check(attribute, `${given.name}.${attribute.name}`);
    });

  test("the page names no variable there never was, and nothing retired is there all the same", () => {
    for (const name of [...retired, ...renamed.keys(), ...changed.keys()]) expect(names).toContain(name);
    for (const name of [...retired, ...renamed.keys()].filter((each) => !each.includes(".")))
      expect({ name, inStack: stack.has(name) }).toEqual({ name, inStack: false });
  });

  test("each variable of the stack has type and description", () => {
    for (const [name, body] of stack) {
      expect({ name, body }).toEqual({ name, body: expect.stringMatching(/^ {2}type\s+=/m) });
      expect({ name, body }).toEqual({ name, body: expect.stringMatching(/^ {2}description\s+=/m) });
    }
  });
});
