/** Renewing the credentials DMS writes with, while an application goes on writing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { applicationSecret, UseCaseWorld } from "./use-case-world.ts";
import { Writer } from "./writer.ts";

setDefaultTimeout(240_000);

describe("use cases of the replication user, in their order", () => {
  let world: UseCaseWorld;
  const passwords: string[] = [];

  beforeAll(async () => {
    world = await UseCaseWorld.start();
    passwords.push((await world.versions()).AWSCURRENT?.password ?? "");
    const documents = Array.from({ length: 500 }, (_, _id) => ({ _id: _id as never, version: 1 }));
    await world.source.db("shop_orders").collection("orders").insertMany(documents);
    await world.source.db("shop_orders").createCollection("order_items");
    await world.source.db("billing").collection("invoices").insertMany(documents.slice(0, 50));
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("first start: every task that never ran is started, its load followed with rows and percent, and it runs on", async () => {
    const ran = await world.must("first-start");
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
    expect(ran.stderr).toContain("full load: 550 of 550 rows (100 %), 3 of 3 tables");
    expect(ran.summary).toContain("shop&#95;orders.orders: Table completed, 500 rows");
    await world.same();
    const again = await world.must("first-start");
    expect(again.stderr).toContain("0 to start, 2 started before");
  });

  for (const change of ["user-and-password", "password"] as const) {
    test(`rotation of ${change} under load: no event is lost, doubled or loaded anew, and the new credentials do`, async () => {
      const before = await world.statistics();
      const old = (await world.versions()).AWSCURRENT!;
      await using writer = new Writer(world.source, 150, change === "password" ? 1_000_000 : 100_000);
      const ran = await world.must("rotate-credentials", { change });
      const written = await writer.stop();
      expect(written.inserts).toBeGreaterThan(100);
      await world.same();

      const after = await world.statistics();
      const [was, now] = [before.get("shop_orders.orders")!, after.get("shop_orders.orders")!];
      const grown = (name: string) => Number(now[name]) - Number(was[name]);
      expect([grown("AppliedInserts"), grown("AppliedUpdates"), grown("AppliedDeletes")]).toEqual([
        written.inserts,
        written.updates,
        written.deletes,
      ]);
      for (const [name, row] of after) {
        const { FullLoadRows, FullLoadReloaded, FullLoadStartTime } = before.get(name)!;
        expect(row).toMatchObject({ FullLoadRows, FullLoadReloaded, FullLoadStartTime });
      }

      const versions = await world.versions();
      passwords.push(versions.AWSCURRENT?.password ?? "");
      expect(Object.keys(versions).sort()).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
      expect(await world.accepts(versions.AWSCURRENT!)).toBe(true);
      expect(await world.accepts(old)).toBe(change === "user-and-password");
      expect(versions.AWSCURRENT!.uri).toContain(encodeURIComponent(versions.AWSCURRENT!.password ?? ""));
      expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
      expect(ran.summary).toContain("✅ rotate-credentials succeeded");
      expect(ran.summary).toContain("user dms&#95;target&#95;b; dms&#95;target stays until remove-old-user");
    });
  }

  test("the old user is removed by its name only, not the current one, and not while a task may be logged in as it", async () => {
    const remove = (name: string) => world.run("remove-old-user", { "old-username": name });
    expect(await world.users()).toContain("dms_target");
    const current = await remove("dms_target_b");
    expect([current.code, current.stderr]).toEqual([3, expect.stringContaining("it left dms_target")]);
    const stranger = await remove("shop");
    expect([stranger.code, stranger.stderr]).toEqual([3, expect.stringContaining("it left dms_target")]);

    // As if the task had not been started since: it would still be logged in as the old user.
    const record = JSON.parse(
      new TextDecoder().decode((await world.apply.store.get("credentials/replication.json"))!.body),
    );
    const put = (value: object) =>
      world.apply.store.put("credentials/replication.json", new TextEncoder().encode(JSON.stringify(value)));
    await put({ ...record, promotedAt: new Date(Date.now() + 3_600_000).toISOString() });
    const running = await remove("dms_target");
    expect(running.code).toBe(3);
    expect(running.stderr).toContain("DMS task shop has logged in anew");
    expect(running.stderr).toContain("run tasks-pause and tasks-resume for shop");
    await put(record);
    expect(await world.users()).toContain("dms_target");

    await world.must("remove-old-user", { "old-username": "dms_target" });
    expect(await world.users()).not.toContain("dms_target");
    await world.source
      .db("shop_orders")
      .collection("orders")
      .insertOne({ _id: "after" as never });
    await world.same();
  });

  test("an application user's password is renewed, and its secret with it", async () => {
    const old = (await world.versions(applicationSecret)).AWSCURRENT!;
    const ran = await world.must("renew-application-user", { user: "shop" });
    const { AWSCURRENT: now } = await world.versions(applicationSecret);
    passwords.push(old.password ?? "", now?.password ?? "");
    expect([await world.accepts(old), await world.accepts(now!)]).toEqual([false, true]);
    expect(now?.username).toBe("shop");
    expect(ran.summary).toContain("let the application read its secret anew");
    const unknown = await world.run("renew-application-user", { user: "nobody" });
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("replication, application:shop");
  });

  test("no password, old or new, stands in output, summaries, command lines, the bucket, requests or the host's files", async () => {
    const shown = await world.everythingShown();
    expect(shown).toContain("promote-credentials");
    expect(passwords.length).toBe(5);
    for (const password of passwords) {
      expect(password.length).toBeGreaterThan(10);
      expect(shown.includes(password)).toBe(false);
      expect(shown.includes(encodeURIComponent(password))).toBe(false);
    }
  });
});
