/** An adopted environment's first apply: what was taken over is the base, and stays as it is until it is changed. */
import { expect, test } from "bun:test";
import { readApplied } from "../../adapters/live/applied.ts";
import { tableMappings } from "../../core/tasks/mappings.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { ApplyWorld } from "../support/apply-world.ts";

const yaml = (...shop: readonly string[]) =>
  [
    "version: 1",
    "tasks:",
    `  - {id: shop, database: shop, collections: [${shop.join(", ")}]}`,
    "  - {id: billing, database: billing, collections: [invoices]}",
    "",
  ].join("\n");

/** As the old set-ups have it: `include`, and for billing a wildcard that takes more than tasks.yaml names. */
function oldRules(database: string, ...tables: readonly string[]): string {
  const rules = tables.map((table, index) => ({
    "rule-type": "selection",
    "rule-id": String(index + 1),
    "rule-name": `${index + 1}-${table}`,
    "object-locator": { "schema-name": database, "table-name": table },
    "rule-action": "include",
  }));
  return JSON.stringify({ rules });
}

function adoptedRules(tasksYaml: string) {
  const { tasks } = parseTasks(tasksYaml);
  const inDms: Readonly<Record<string, string>> = {
    shop: oldRules("shop", "orders"),
    billing: oldRules("billing", "invoices", "draft%"),
  };
  const declared = (id: string) => JSON.stringify(tableMappings(tasks.find((task) => task.id === id)!));
  return Object.fromEntries(
    Object.entries(inDms).map(([id, rules]) => [id, { declared: declared(id), inDms: rules }]),
  );
}

test("recorded once, refused where DMS stands otherwise; the first apply changes what is new and nothing else", async () => {
  await using world = await ApplyWorld.start();
  await world.source.db("shop").collection("orders").insertOne({ a: 1 });
  await world.source
    .db("shop")
    .collection("notes")
    .insertMany([{ a: 1 }, { a: 2 }]);
  await world.source.db("billing").collection("invoices").insertOne({ a: 1 });
  const infrastructure = { adoptedRules: adoptedRules(yaml("orders")) };
  const commit = await world.replicate(yaml("orders"), infrastructure);
  const record = (...more: string[]) => world.roundtrip("adopt", "--record", "--env", "dev", ...more);

  // Nobody wrote down what stands: a plan would make all of it anew, and apply refuses.
  const early = await world.run(["--unreviewed"], { infrastructure });
  expect([early.code, early.stderr]).toEqual([3, expect.stringContaining("a DMS task of that name")]);
  expect(early.stderr).toContain("recorded first (roundtrip adopt --record --env dev)");

  await world.tasks.stop("shop", 30);
  const stopped = await record();
  expect([stopped.code, stopped.stderr]).toEqual([3, expect.stringContaining("shop: stopped")]);
  await world.tasks.start("shop", "resume-processing", 30);
  const wildcard = await record();
  expect(wildcard.code).toBe(3);
  expect(wildcard.stderr).toContain("billing: mappings: also billing.draft%");
  expect(wildcard.stderr).toContain("--accept billing");
  expect(await readApplied(world.store, "dev")).toBeUndefined();
  const recorded = await record("--accept", "billing");
  expect([recorded.code, recorded.stderr]).toEqual([0, ""]);
  expect(recorded.stdout).toStartWith(`recorded: commit ${commit} stands in dev;`);
  expect((await record("--accept", "billing")).code).toBe(3);

  const [shop, billing] = [await world.task("shop"), await world.task("billing")];
  world.commit(yaml("orders", "notes"));
  const ran = await world.apply({ infrastructure });
  expect(ran.stderr).toContain("✓ shop.notes: 2 documents");
  expect(ran.code).toBe(0);
  const after = await world.task("billing");
  expect([after.arn, after.startedAt, after.mappings]).toEqual([
    billing.arn,
    billing.startedAt,
    billing.mappings,
  ]);
  const loadOf = (task: typeof shop) =>
    task.tables.find(({ table }) => table === "orders")?.fullLoadStartedAt;
  expect(loadOf(await world.task("shop"))).toBe(loadOf(shop)!);
  expect((await readApplied(world.store, "dev"))?.document.adopted).toEqual({
    billing: "mappings: also billing.draft%",
  });
}, 120_000);
