/** Pausing and resuming, what stops a rotation, the ways out of one, and the lease. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { UseCaseWorld } from "./use-case-world.ts";

setDefaultTimeout(240_000);

let world: UseCaseWorld;
beforeAll(async () => {
  world = await UseCaseWorld.start();
  const documents = Array.from({ length: 100 }, (_, _id) => ({ _id: _id as never }));
  await world.source.db("shop_orders").collection("orders").insertMany(documents);
  await world.source.db("billing").collection("invoices").insertMany(documents.slice(0, 20));
});
afterAll(() => world[Symbol.asyncDispose]());

describe("first start", () => {
  test("--mode plan prints each step with its calls, and does nothing", async () => {
    const ran = await world.run("first-start", {}, { words: ["--mode", "plan"] });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("Nothing is done in this mode.");
    expect(ran.stdout).toContain("startType=start-replication");
    expect(await world.statuses()).toEqual({ shop: "ready", billing: "ready" });
  });

  test("a target collection that holds documents is refused by name, with the choices; nothing is started", async () => {
    await world.target
      .db("shop_orders")
      .collection("orders")
      .insertOne({ _id: "left behind" as never });
    const ran = await world.run("first-start");
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("documents in shop_orders.orders (1)");
    expect(ran.stderr).toContain("Empty these collections when nobody needs them");
    expect(await world.statuses()).toEqual({ shop: "ready", billing: "ready" });
    await world.target.db("shop_orders").collection("orders").deleteMany({});
  });

  test("an endpoint DMS can't log in to is refused in DMS's words; nothing is started", async () => {
    const user = { updateUser: "dms_target" };
    const { password = "" } = (await world.versions()).AWSCURRENT ?? {};
    await world.target.db("admin").command({ ...user, pwd: "changed by hand" });
    const ran = await world.run("first-start");
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain("Test Endpoint failed");
    expect(await world.statuses()).toEqual({ shop: "ready", billing: "ready" });
    await world.target.db("admin").command({ ...user, pwd: password });
  });

  test("killed in the middle of the load and run again it goes on following, and starts nothing twice", async () => {
    await world.steer("faults", {
      caller: "first-start",
      operation: "DescribeTableStatistics",
      nth: 2,
      action: { kill: "first-start" },
    });
    expect((await world.run("first-start")).code).toBe(137);
    const ran = await world.must("first-start");
    expect(ran.stderr).toContain("going on with dev-first-start-");
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
    const journal = await world.steer<{ operation: string; caller: string }[]>("journal");
    const starts = journal.filter(({ operation }) => operation === "StartReplicationTask");
    expect(starts.length).toBe(2);
    await world.same();
  });
});

test("inputs that are missing or wrong are refused before anything is asked, with what would do", async () => {
  const words = async (name: string, inputs: Record<string, string>) => {
    const { code, stderr } = await world.run(name, inputs);
    return `${code} ${stderr}`;
  };
  expect(await words("rotate-credentials", {})).toMatch(
    /^2 .*no input change.*user-and-password makes a second user/,
  );
  expect(await words("rotate-credentials", { change: "both" })).toMatch(/^2 .*take input change.*got both/);
  expect(await words("rotate-credentials", { change: "password", username: "a b" })).toMatch(/^2 .*got a b/);
  expect(await words("rotate-credentials", { user: "dms" })).toMatch(
    /^2 .*inputs of rotate-credentials: change, username/,
  );
  expect(await words("remove-old-user", {})).toMatch(/^2 .*no input old-username/);
  expect(await words("abandon-rotation", { account: "application:" })).toMatch(/^2 .*got application:/);
  expect(await words("tasks-pause", { tasks: "none" })).toContain("all, or some of: ");
  expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
});

describe("pause and resume", () => {
  test("one task is paused, the other goes on; resumed it carries what came meanwhile", async () => {
    await world.must("tasks-pause", { tasks: "shop" });
    expect(await world.statuses()).toEqual({ shop: "stopped", billing: "running" });
    await world.source
      .db("shop_orders")
      .collection("orders")
      .insertOne({ _id: "while paused" as never });
    await world.source
      .db("billing")
      .collection("invoices")
      .insertOne({ _id: "while paused" as never });
    const ran = await world.must("tasks-resume", { tasks: "shop" });
    expect(ran.stderr).toContain("1 to resume, 0 run already");
    await world.same();
  });

  test("a rotation leaves a paused task paused", async () => {
    await world.must("tasks-pause", { tasks: "billing" });
    const ran = await world.must("rotate-credentials", { change: "user-and-password" });
    expect(ran.stderr).toContain("1 running, 1 not: they stay as they are");
    expect(await world.statuses()).toEqual({ shop: "running", billing: "stopped" });
    await world.must("tasks-resume");
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
  });

  test("a task whose place in the oplog is gone is refused, with the way out", async () => {
    await world.must("tasks-pause");
    await world.source
      .db("shop_orders")
      .collection("orders")
      .insertOne({ _id: "lost to DMS" as never });
    await Bun.sleep(1100);
    await world.source.db("admin").command({ _sandbox: "truncateOplog" });
    await world.source
      .db("shop_orders")
      .collection("orders")
      .insertOne({ _id: "behind it" as never });
    const ran = await world.run("tasks-resume");
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("DMS can't go on from there");
    expect(await world.statuses()).toEqual({ shop: "stopped", billing: "stopped" });
    for (const { arn } of await world.apply.tasks.describe([]))
      await world.apply.tasks.start(arn, "reload-target", 30);
    await world.same();
  });
});

describe("ways out of a rotation", () => {
  test("new credentials DMS can't use stop it before anything is resumed; giving them up goes back to the ones before", async () => {
    await world.must("remove-old-user", { "old-username": "dms_target" });
    const before = (await world.versions()).AWSCURRENT!;
    expect(before.username).toBe("dms_target_b");
    const refuse = { operation: "TestConnection", caller: "rotate-credentials", times: "unlimited" };
    await world.steer("faults", { ...refuse, action: { status: 400, code: "AccessDeniedFault" } });
    const stuck = await world.run("rotate-credentials", { change: "user-and-password" });
    expect(stuck.code).toBe(5);
    expect(await world.statuses()).toEqual({ shop: "stopped", billing: "stopped" });
    expect((await world.versions()).AWSCURRENT?.username).toBe("dms_target");
    await world.steer("faults", undefined, "DELETE");

    await world.must("abandon-rotation", { "give-up": "current" });
    expect((await world.versions()).AWSCURRENT).toEqual(before);
    await world.must("tasks-resume");
    await world.must("remove-old-user", { "old-username": "dms_target" });
    expect(await world.users()).not.toContain("dms_target");
    await world.same();
  });

  test("pending credentials that are given up take their second user with them", async () => {
    await world.steer("faults", {
      caller: "rotate-credentials",
      operation: "StopReplicationTask",
      action: { kill: "rotate-credentials" },
    });
    expect((await world.run("rotate-credentials", { change: "user-and-password" })).code).toBe(137);
    expect(await world.users()).toContain("dms_target");
    expect(Object.keys(await world.versions()).sort()).toEqual(["AWSCURRENT", "AWSPENDING"]);
    // Another rotation meanwhile is refused: two would fight over one secret.
    const other = await world.run("rotate-credentials", { change: "password" });
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining("is pending")]);
    await world.must("abandon-rotation");
    expect(await world.users()).not.toContain("dms_target");
    expect(Object.keys(await world.versions())).toEqual(["AWSCURRENT"]);
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
  });
});

describe("unlock", () => {
  test("a lease whose holder is dead is freed, and who it was is said; a free one is nothing to do", async () => {
    await world.steer("faults", {
      caller: "tasks-pause",
      operation: "DescribeReplicationTasks",
      action: { kill: "tasks-pause" },
    });
    expect((await world.run("tasks-pause")).code).toBe(137);
    const freed = await world.must("unlock");
    expect(freed.stderr).toMatch(/freed: ana-[0-9a-f]{8} \(tasks-pause\) gave no sign of life/);
    expect((await world.must("unlock")).stderr).toContain("nobody held it");
  });

  test("a holder that lives keeps its lease: unlock is refused by its name", async () => {
    await world.steer("faults", {
      caller: "tasks-pause",
      operation: "DescribeReplicationTasks",
      action: { delayMs: 6000 },
    });
    const holder = world.run("tasks-pause", { tasks: "billing" }, { leaseSeconds: 1 });
    await Bun.sleep(2500);
    const refused = await world.run("unlock", {}, { leaseSeconds: 1 });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("is running tasks-pause");
    expect((await holder).code).toBe(0);
    await world.must("tasks-resume");
  });
});
