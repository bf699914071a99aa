import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const stack = join(import.meta.dirname, "../../terraform/stack");
const first = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/variables-of-the-first-version.json"), "utf8"),
) as string[];
const readme = readFileSync(join(stack, "README.md"), "utf8");
const text = readdirSync(stack)
  .filter((file) => file.startsWith("variables"))
  .map((file) => readFileSync(join(stack, file), "utf8"))
  .join("\n");

const renamed: Readonly<Record<string, string>> = {
  docdb_subnets_ids: "docdb_subnet_ids",
  "docdb_cluster_replication.deletion_protections": "docdb_cluster_replication.deletion_protection",
};
const bodies = new Map(
  [...text.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => [name!, body!]),
);
/** The first column of the table of what is gone. */
const retired = [...readme.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, names]) =>
  [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
);

describe("variables of the stack", () => {
  test("each of the first version exists, with its fields, or stands among those that are gone", () => {
    const missing = first.filter((name) => {
      const now = renamed[name] ?? name;
      const [variable = "", field] = now.split(".");
      if (retired.includes(now) || retired.includes(variable)) return false;
      const body = bodies.get(variable);
      return body === undefined || (field !== undefined && !new RegExp(`\\b${field}\\s*=`).test(body));
    });
    expect(missing).toEqual([]);
  });

  test("nothing that is gone exists, and nothing is said to be gone that never was", () => {
    expect(retired.filter((name) => bodies.has(name))).toEqual([]);
    expect(retired.filter((name) => !first.includes(name))).toEqual([]);
  });

  test("each has a description and a type", () => {
    const bare = [...bodies].filter(
      ([, body]) => !/^ {2}description\s+=/m.test(body) || !/^ {2}type\s+=/m.test(body),
    );
    expect(bare.map(([name]) => name)).toEqual([]);
    expect(bodies.size).toBe([...text.matchAll(/^variable /gm)].length);
  });
});
