/** Apply end to end: real DMS requests, real data, the lambda as it is deployed, the worker on its host. */
import { expect, test } from "bun:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { readApplied } from "../../adapters/live/applied.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { scoreKey } from "../../core/plan/applied.ts";
import type { Score } from "../../core/plan/score.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { type Applied, ApplyWorld } from "../support/apply-world.ts";

const testMs = 120_000;

function yaml(shop: readonly string[], ...more: readonly string[]): string {
  const lines = [
    "version: 1",
    "tasks:",
    "  - id: shop",
    "    database: shop",
    `    collections: [${shop.join(", ")}]`,
  ];
  return `${[...lines, ...more.map((task) => `  - {${task}}`)].join("\n")}\n`;
}

const billing = "id: billing, database: billing, collections: [invoices]";

/** `shop.orders` with two documents and `billing.invoices` with one, replicating. */
async function replicating(environment: EnvironmentName = "dev", shop = ["orders"]): Promise<ApplyWorld> {
  const world = await ApplyWorld.start(environment);
  await world.source
    .db("shop")
    .collection("orders")
    .insertMany([{ a: 1 }, { a: 2 }]);
  await world.source.db("billing").collection("invoices").insertOne({ a: 1 });
  for (const name of shop.slice(1)) await world.source.db("shop").collection(name).insertOne({ a: 1 });
  await world.begin(yaml(shop, billing));
  await world.requests();
  return world;
}

/** What apply said last that went wrong. */
function refusal({ code, stderr }: Applied): string {
  const line = /^roundtrip apply: (.*)$/m.exec(stderr)?.[1] ?? /^ {2}✗ (.*)$/m.exec(stderr)?.[1];
  return `${code} ${line ?? stderr}`;
}

const changing = /^dms (Stop|Start|Modify|Create|Delete|Reload)|^lambda Invoke/;

async function scoreOf(world: ApplyWorld): Promise<Score> {
  const applied = await readApplied(world.store, world.environment);
  return (await readJson<Score>(world.store, scoreKey(applied!.document.operationId!)))!.value;
}

test(
  "a collection is added: loaded, followed, proved; no other table is loaded again, the other task not touched",
  async () => {
    await using world = await replicating();
    const [shop, other] = [await world.task("shop"), await world.task("billing")];
    await world.source
      .db("shop")
      .collection("notes")
      .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    const commit = world.commit(yaml(["orders", "notes"], billing));
    const plan = await world.run(["--mode", "plan", "--unreviewed"]);
    expect(plan.stdout).toContain("~ modify-and-resume shop (database shop)\n      added: notes\n");
    expect(plan.stdout).toContain("loaded in full: notes\n");
    expect(plan.stdout).toContain("1 other task not stopped, changed or loaded again");
    expect(plan.stdout).toContain("DMS ReloadTables, at most 10 a call → shop  tables=shop.notes");
    expect((await world.requests()).filter((request) => changing.test(request))).toEqual([]);

    const ran = await world.apply();
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain("✓ shop.notes: 3 documents");
    expect(ran.stderr).toContain("✓ 3 of 3 predictions right");
    expect(ran.summary).toStartWith("## ✅ apply succeeded\n\nOperation `dev-apply-");
    expect(ran.summary).toContain(
      "| ✅ shop.notes is all there | 3 documents, as on MongoDB | 3 documents |",
    );

    await world.source.db("shop").collection("notes").insertOne({ a: 4 });
    await world.replicated("shop", "notes", 4);
    await world.source.db("shop").collection("orders").insertOne({ a: 3 });
    await world.replicated("shop", "orders", 3);

    const asked = (await world.requests()).filter((request) => changing.test(request));
    expect(asked.map((request) => request.split(" ")[1])).toEqual([
      "StopReplicationTask",
      "ModifyReplicationTask",
      "Invoke",
      "StartReplicationTask",
      "ReloadTables",
    ]);
    const loads = (task: typeof shop) =>
      task.tables.map(({ table, fullLoadRows, fullLoadStartedAt }) => ({
        table,
        fullLoadRows,
        fullLoadStartedAt,
      }));
    expect(loads(await world.task("billing"))).toEqual(loads(other));
    expect((await world.task("billing")).startedAt).toBe(other.startedAt!);
    const now = loads(await world.task("shop"));
    expect(now.filter(({ table }) => table === "orders")).toEqual(loads(shop));
    expect(now.find(({ table }) => table === "notes")?.fullLoadRows).toBe(3);

    expect((await readApplied(world.store, "dev"))?.document).toMatchObject({ commit, by: { actor: "ana" } });
    expect(await scoreOf(world)).toMatchObject({ predictions: 3, right: 3 });

    const again = await world.run([
      "--digest",
      (await readApplied(world.store, "dev"))!.document.digest,
      "--json",
    ]);
    expect(again.stderr).toMatch(new RegExp(`^already applied: commit ${commit}, .*, by ana$`, "m"));
    expect(JSON.parse(again.stdout)).toMatchObject({ succeeded: true, alreadyApplied: true });
  },
  testMs,
);

test(
  "the first apply of an environment makes all of it; what is removed later is deleted and, in dev, dropped",
  async () => {
    await using world = await ApplyWorld.start();
    await world.source
      .db("shop")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await world.source.db("billing").collection("invoices").insertOne({ a: 1 });
    world.commit(yaml(["orders", "later"], billing));
    const first = await world.apply();
    expect(first.code).toBe(0);
    expect(first.stderr).toContain(
      "✓ billing.invoices: 1 document, shop.later: not on MongoDB yet, shop.orders: 2 documents",
    );
    expect(first.stderr).toContain("✓ 4 of 4 predictions right");
    await world.source.db("shop").collection("orders").insertOne({ a: 3 });
    await world.replicated("shop", "orders", 3);

    world.commit(yaml(["orders"]));
    const removed = await world.apply();
    expect(removed.stderr).toContain("; dropped shop.later, database billing (with invoices)");
    expect(removed.code).toBe(0);
    expect(await world.collections("billing")).toEqual([]);
    expect(await world.collections("shop")).toEqual(["orders"]);
    expect((await world.tasks.describe(["billing"])).length).toBe(0);
    expect((await scoreOf(world)).right).toBe((await scoreOf(world)).predictions);
  },
  testMs,
);

test(
  "prod: what is removed is no longer replicated and kept with all data; nobody applies without a review",
  async () => {
    await using world = await replicating("prod", ["orders", "old"]);
    world.commit(yaml(["orders"]));
    expect(refusal(await world.run(["--unreviewed"]))).toMatch(
      /^3 apply plan sha256:\w+ in prod: expected the digest of the plan that was reviewed, got --unreviewed, which dev alone allows/,
    );
    const ran = await world.apply();
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(
      "kept shop.old (no longer declared; prod keeps its data), database billing (no longer declared; prod keeps its data)",
    );
    expect(await world.collections("shop")).toEqual(["old", "orders"]);
    expect(await world.target.db("billing").collection("invoices").countDocuments()).toBe(1);
    const score = await scoreOf(world);
    expect(score.data.map(({ name, predicted, right }) => `${name} ${predicted} ${right}`)).toEqual([
      "billing kept true",
      "shop.old kept true",
    ]);
  },
  testMs,
);

test(
  "nothing is changed when the world isn't the one that was reviewed",
  async () => {
    await using world = await replicating();
    const base = (await readApplied(world.store, "dev"))!.document.commit;
    world.commit(yaml(["orders", "notes"], billing));
    const { digest } = await world.plan();

    // Stale: somebody else's change was applied since.
    world.commit(yaml(["orders", "returns"], billing));
    expect(refusal(await world.run(["--digest", digest]))).toMatch(
      /^3 apply the plan that was reviewed \(sha256:\w+\): expected planning again to give the same digest; planned from commit \w+, applied .* by ben, got sha256:\w+: what was applied, or the commit's tree, has changed since the review\./,
    );

    // An ancestor of what was last applied.
    const { document: value } = (await readApplied(world.store, "dev"))!;
    const newest = world.commit(yaml(["orders", "notes"], billing));
    await writeJson(world.store, "applied/current.json", { ...value, commit: newest });
    expect(refusal(await world.run(["--digest", digest, "--head", base]))).toContain(
      `3 apply commit ${base}: expected a commit that is not older than what was last applied (${newest}), got an ancestor of it`,
    );
    await writeJson(world.store, "applied/current.json", value);

    // Documents lie where a new collection is to be loaded.
    await world.target
      .db("shop")
      .collection("notes")
      .insertMany([{ a: 1 }, { a: 2 }]);
    expect(refusal(await world.run(["--digest", digest]))).toBe(
      "3 load shop.notes into DocumentDB: expected each of them empty or not there, because DMS leaves documents it finds as they are, got shop.notes has 2 documents. Way out: choose for each: drop it there when its documents are not needed and run this again; or take it out of tasks.yaml. Nothing was changed so far; a task that still writes to it must be paused first (roundtrip runbook tasks-pause)",
    );
    await world.target.db("shop").collection("notes").drop();

    // A failback is open.
    await writeJson(world.store, currentKey, {
      version: 1,
      environment: "dev",
      phase: "capturing",
      failbackId: "fb-1",
      history: [],
    });
    expect(refusal(await world.run(["--digest", digest]))).toBe(
      "3 run apply: expected phase normal, got phase capturing (failback fb-1). Way out: the legal next step is failback-restore (when MongoDB is back), or failback-abort (when nothing was written)",
    );
    await world.store.delete([currentKey]);
    expect((await world.requests()).filter((request) => changing.test(request))).toEqual([]);

    // Diverged: a task that should run was stopped, and the other one's mappings were changed by hand.
    await world.tasks.stop("billing", 30);
    await world.tasks.stop("shop", 30);
    const client = new dms.DatabaseMigrationServiceClient({});
    const { arn } = await world.task("shop");
    const TableMappings = JSON.stringify((await world.task("billing")).mappings);
    await client.send(new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings }));
    expect(refusal(await world.run(["--digest", digest]))).toBe(
      "3 compare DMS with what was last applied (2 tasks differ): expected shop: the task as it was last applied, got shop: mappings: without shop.orders; also billing.invoices; billing: stopped; NORMAL. Way out: somebody changed DMS by hand: put it back (roundtrip drift shows it; a stopped task is started with roundtrip runbook tasks-resume), then run this again",
    );
    expect((await world.requests()).filter((request) => changing.test(request))).toEqual([]);
  },
  testMs,
);

test(
  "DMS stops a task during the apply: its status and reason are told, and the next run finishes",
  async () => {
    await using world = await replicating();
    await world.source.db("shop").collection("notes").insertOne({ a: 1 });
    world.commit(yaml(["orders", "notes"], billing));
    const { digest } = await world.plan();
    let stopping: Promise<unknown> | undefined;
    const ran = await world.run(["--digest", digest], {
      onLine: (line) => {
        if (line.startsWith("▸ prove")) stopping ??= world.tasks.stop("shop", 30);
      },
    });
    await stopping;
    expect(refusal(ran)).toBe(
      "4 DMS task shop ended during the apply: expected it running, as tasks.yaml says, got status stopped, stop reason NORMAL, no failure message. Way out: mend what the reason names (endpoints, credentials, oplog, disk), then run this again: it goes on",
    );
    expect(ran.stderr).not.toContain("wanted target");
    expect(ran.summary).toStartWith("## ❌ apply stopped at step prove\n");
    expect((await readApplied(world.store, "dev"))?.document.by.actor).toBe("ben");
    const again = await world.run(["--digest", digest]);
    expect(again.stderr).toContain("✓ started shop (resume-processing)");
    expect(again.code).toBe(0);
  },
  testMs,
);

test(
  "a prediction that was wrong is scored wrong: a task made anew where it was to be modified",
  async () => {
    await using world = await replicating();
    await world.source.db("shop").collection("notes").insertOne({ a: 1 });
    world.commit(yaml(["orders", "notes"], billing));
    const ran = await world.apply({ infrastructure: { replacesUnasked: "shop" } });
    expect(ran.stderr).toContain(
      "✓ ⚠️ 2 of 3 predictions right; wrong: shop: predicted modify-and-resume with notes loaded, happened recreate with notes, orders loaded",
    );
    expect(ran.code).toBe(0);
    const score = await scoreOf(world);
    expect(score).toMatchObject({ predictions: 3, right: 2 });
    expect(score.tasks.filter(({ right }) => !right).map(({ id }) => id)).toEqual(["shop"]);
  },
  testMs,
);

test(
  "another database: the task is made anew and loads it, the old database is dropped in dev",
  async () => {
    await using world = await replicating();
    await world.source
      .db("store")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    const { arn } = await world.task("shop");
    world.commit(yaml(["orders"], billing).replace("database: shop", "database: store"));
    const ran = await world.apply();
    expect(ran.stderr).toContain("✓ store.orders: 3 documents");
    expect(ran.stderr).toContain("dropped database shop (with orders)");
    expect(ran.code).toBe(0);
    expect((await world.task("shop")).arn).not.toBe(arn);
    expect((await scoreOf(world)).right).toBe((await scoreOf(world)).predictions);
    await world.source.db("store").collection("orders").insertOne({ a: 4 });
    await world.replicated("store", "orders", 4);
  },
  testMs,
);

test(
  "a rename: the task is paused first, the person renames on MongoDB, the next run carries on with nothing loaded",
  async () => {
    await using world = await replicating("dev", ["orders", "refunds"]);
    world.commit(yaml(["orders", "{name: returns, renamedFrom: refunds}"], billing));
    const { digest } = await world.plan();
    const asked = await world.run(["--digest", digest]);
    expect(refusal(asked)).toBe(
      "3 rename shop.refunds to returns: expected returns and no refunds on MongoDB, got not renamed yet: shop.refunds → returns. Way out: DMS task shop is paused: with nobody writing to the collection, rename it on MongoDB, then run this again; it goes on here",
    );
    expect((await world.task("shop")).status).toBe("stopped");
    await world.source.db("shop").renameCollection("refunds", "returns");
    const ran = await world.run(["--digest", digest]);
    expect(ran.stderr).toContain("✓ refunds → returns");
    expect(ran.stderr).toContain("predictions right");
    expect(ran.code).toBe(0);
    expect(await world.collections("shop")).toEqual(["orders", "returns"]);
    await world.source.db("shop").collection("returns").insertOne({ a: 2 });
    await world.replicated("shop", "returns", 2);
    const { tables } = await world.task("shop");
    expect(tables.find(({ table }) => table === "returns")?.fullLoadRows ?? 0).toBe(0);
    expect((await scoreOf(world)).right).toBe((await scoreOf(world)).predictions);
    // DMS goes on showing it as not begun; that is nothing for the next apply of its task.
    await world.source.db("shop").collection("stock").insertOne({ a: 1 });
    world.commit(yaml(["orders", "returns", "stock"], billing));
    const next = await world.run(["--digest", (await world.plan()).digest]);
    expect([next.code, next.code === 0 ? "" : next.stderr]).toEqual([0, ""]);
    const after = (await world.task("shop")).tables;
    expect(after.find(({ table }) => table === "returns")?.fullLoadRows ?? 0).toBe(0);
    expect(after.find(({ table }) => table === "stock")?.fullLoadRows).toBe(1);
  },
  testMs,
);
