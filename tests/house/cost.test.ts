import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/cost.md");

/** Cells of the table rows below a heading. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? "";
  const lines = section.split("\n").filter((line) => /^\| [^-]/.test(line));
  return lines.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

const numberOf = (text: string) => Number(text.replaceAll(/[,*]/g, ""));
const prices = new Map(
  rowsBelow("Prices").map(([name = "", price = ""]) => [name.replaceAll("`", ""), numberOf(price)]),
);

/** Amount by price, of an environment's table. */
const amountsOf = (heading: string) =>
  new Map(rowsBelow(heading).map(([, price = "", amount = ""]) => [price.replaceAll("`", ""), amount]));

describe.each(["Small", "Large", "Kafka", "An outage"])("docs/cost.md, %s", (heading) => {
  const rows = rowsBelow(heading);
  const total = rows.at(-1);

  test("each line is its amount times its price, and the sum is the lines'", () => {
    let cents = 0;
    expect(rows.length).toBeGreaterThan(2);
    for (const [what, item = "", amount = "", usd = ""] of rows.slice(0, -1)) {
      const price = prices.get(item.replaceAll("`", ""));
      if (price === undefined) throw new Error(`${what}: no price ${item}`);
      const units = amount.split("×").reduce((product, factor) => product * numberOf(factor), 1);
      const expected = Math.round(units * price * 100);
      expect({ what, cents: Math.round(numberOf(usd) * 100) }).toEqual({ what, cents: expected });
      cents += expected;
    }
    expect(Math.round(numberOf(total?.[3] ?? "") * 100)).toBe(cents);
  });
});

describe.each([
  ["Small", "dev"],
  ["Large", "prod"],
] as const)("docs/cost.md, %s, is %s.tfvars", (heading, environment) => {
  const variables = read(`terraform/environments/${environment}.tfvars`);
  const given = (name: string) => new RegExp(`\\b${name} +=\\s*"?([\\w.]+)`).exec(variables)?.[1];
  const byDefault = (file: string, name: string) =>
    new RegExp(`variable "${name}"[\\s\\S]*?default +=\\s*"?([\\w.]+)`).exec(read(`terraform/${file}`))?.[1];
  const amounts = amountsOf(heading);

  test("instances of DocumentDB and DMS: class and number", () => {
    const instances = given("docdb_cluster_instance_count");
    expect(amounts.get(given("docdb_cluster_instance_class")!)).toBe(`${instances} × 730`);
    const zones = given("multi_az") === "true" ? 2 : 1;
    expect(amounts.get(given("replication_instance_class")!)).toBe(`${zones} × 730`);
  });

  test("hosts, their disks and the endpoints, as the stack has them by default", () => {
    expect(amounts.get(byDefault("stack/variables.hosts.tf", "operations_instance_type")!)).toBe("1 × 730");
    expect(amounts.get("gp3")).toBe(`2 × ${byDefault("stack/variables.hosts.tf", "ec2_volume_size")}`);
    const services = /variable "interface_services"[\s\S]*?default +=\s*\[(.*)\]/.exec(
      read("terraform/modules/vpc-endpoints/variables.tf"),
    )?.[1];
    expect(amounts.get("interface-endpoint")).toBe(`${services?.split(",").length} × 2 × 730`);
  });

  test("the failback host of an outage is the stack's", () => {
    expect(amountsOf("An outage").get(byDefault("stack/variables.hosts.tf", "ec2_instance_type")!)).toBe(
      "1 × 24",
    );
  });
});
