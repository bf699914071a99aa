/** The five paths of docs/use-cases.md that are edits of tasks.yaml, with the page's own commands, to their end. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Applied, ApplyWorld } from "../support/apply-world.ts";

setDefaultTimeout(120_000);

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/use-cases.md"), "utf8");
const first = `version: 1
tasks:
  # Everything the shop needs.
  - id: shop
    database: shop
    collections: [orders]
`;

/** The command that a section of the page shows for the edit. */
function commandOf(section: string): string[] {
  const text = page.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  const found = /^ {4}roundtrip (tasks .*)$/m.exec(text)?.[1];
  if (!found) throw new Error(`the page has no command for: ${section}`);
  return found.split(" ");
}

describe("one after the other, in one environment", () => {
  let world: ApplyWorld;
  let untouched = "";

  beforeAll(async () => {
    world = await ApplyWorld.start();
    await world.source
      .db("shop")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await world.begin(first);
    untouched = await loadsOfShop();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** When the shop's tables were loaded, and since when its task runs: what no other change may touch. */
  async function loadsOfShop(): Promise<string> {
    const { tables, startedAt } = await world.task("shop");
    return JSON.stringify([
      startedAt,
      tables.map(({ fullLoadRows, fullLoadStartedAt }) => [fullLoadRows, fullLoadStartedAt]),
    ]);
  }

  const tasksFile = () => join(world.repository, "tasks.yaml");
  const text = () => readFileSync(tasksFile(), "utf8");

  /** Edits as the page says. */
  async function edit(section: string): Promise<void> {
    const words = [join(root, "scripts/roundtrip.ts"), ...commandOf(section), "--file", tasksFile()];
    const child = Bun.spawn([process.execPath, ...words], { stdout: "pipe", stderr: "pipe" });
    const said = await new Response(child.stderr).text();
    expect([await child.exited, said.includes("rror")]).toEqual([0, false]);
  }

  /** Commits what was edited, plans and applies it; the shop's task stays as it was. */
  async function merge(edited = text()): Promise<Applied> {
    world.commit(edited);
    const ran = await world.apply();
    expect(ran.stderr).toContain(ran.code === 0 ? "predictions right" : "✗");
    expect(await loadsOfShop()).toBe(untouched);
    return ran;
  }

  test("add a database", async () => {
    await world.source
      .db("loyalty")
      .collection("cards")
      .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    await world.source.db("loyalty").collection("points").insertOne({ a: 1 });
    await edit("Add a database");
    expect(text()).toContain("# Everything the shop needs.");
    expect((await merge()).code).toBe(0);
    await world.replicated("loyalty", "cards", 3);
    await world.source.db("loyalty").collection("points").insertOne({ a: 2 });
    await world.replicated("loyalty", "points", 2);
  });

  test("add a collection: it alone is loaded", async () => {
    const before = (await world.task("loyalty")).tables;
    await world.source
      .db("loyalty")
      .collection("stamps")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await edit("Add a collection");
    expect((await merge()).code).toBe(0);
    await world.replicated("loyalty", "stamps", 2);
    const { tables } = await world.task("loyalty");
    for (const { table, fullLoadStartedAt } of before)
      expect(tables.find((each) => each.table === table)?.fullLoadStartedAt).toBe(fullLoadStartedAt!);
  });

  test("delete collections: dev drops it, the others go on", async () => {
    await edit("Delete collections");
    expect((await merge()).code).toBe(0);
    expect(await world.collections("loyalty")).toEqual(["cards", "stamps"]);
    await world.source.db("loyalty").collection("cards").insertOne({ a: 4 });
    await world.replicated("loyalty", "cards", 4);
  });

  test("rename a collection: apply asks for it at its time, and nothing is loaded", async () => {
    const renamed = text().replace("stamps", "{name: vouchers, renamedFrom: stamps}");
    const asked = await merge(renamed);
    expect([asked.code, asked.stderr]).toEqual([3, expect.stringContaining("not renamed yet")]);
    await world.source.db("loyalty").renameCollection("stamps", "vouchers");
    const ran = await world.apply();
    expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
    expect(await world.collections("loyalty")).toEqual(["cards", "vouchers"]);
    await world.source.db("loyalty").collection("vouchers").insertOne({ a: 3 });
    await world.replicated("loyalty", "vouchers", 3);
    expect((await merge(renamed.replace("{name: vouchers, renamedFrom: stamps}", "vouchers"))).code).toBe(0);
  });

  test("delete a database: its task goes, dev drops it, the shop never noticed", async () => {
    expect((await merge(first)).code).toBe(0);
    expect(await world.collections("loyalty")).toEqual([]);
    expect(await world.tasks.describe(["loyalty"])).toEqual([]);
    await world.source.db("shop").collection("orders").insertOne({ a: 3 });
    await world.replicated("shop", "orders", 3);
  });
});
