/** The set as drivers meet it: roles, step-downs, members that go and come back, faults on the way. */
import { describe, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { startDatabase } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return promise.then(
    () => 0,
    (error: { code?: number }) => error.code ?? -1,
  );
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await Bun.sleep(20)) if (await condition()) return;
  throw new Error(`expected ${what} within 10 s`);
}

function direct(uri: string, host: string): MongoClient {
  return new MongoClient(
    uri.replace(/@[^/]*/, `@${host}`).replace(/replicaSet=[^&]*/, "directConnection=true"),
    { serverSelectionTimeoutMS: 1000 },
  );
}

describe("members", () => {
  test("each answers hello with its own role; a secondary refuses writes and answers reads that accept it", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri);
    const hello = await client.db("admin").command({ hello: 1 });
    expect(hello.hosts).toEqual(database.ports.map((port) => `127.0.0.1:${port}`));
    expect([hello.setName, hello.isWritablePrimary, hello.secondary]).toEqual(["rs0", true, false]);
    const other = direct(
      database.uri,
      hello.hosts.find((host: string) => host !== hello.primary),
    );
    const items = other.db("x").collection("items");
    expect(await codeOf(items.insertOne({}))).toBe(10107);
    expect(await codeOf(items.find({}, { readPreference: "secondary" }).toArray())).toBe(0);
    await Promise.all([client.close(), other.close()]);
  });

  test("writes go on through a step-down, and the awaiting monitors hear of it at once", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri, { heartbeatFrequencyMS: 60_000 });
    const items = client.db("x").collection<{ _id: number }>("items");
    const before = (await client.db("admin").command({ hello: 1 })).primary;
    const begun = performance.now();
    for (let n = 0; n < 60; n++) {
      if (n === 20) await client.db("admin").command({ replSetStepDown: 60 });
      await items.insertOne({ _id: n });
    }
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect((await client.db("admin").command({ hello: 1 })).primary).not.toBe(before);
    expect(await items.countDocuments()).toBe(60);
    await client.close();
  }, 30_000);

  test("a killed primary is replaced, its port is dead until it is restarted, and no acknowledged write is gone", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri);
    const admin = client.db("admin");
    const items = client.db("x").collection<{ _id: number }>("items");
    await items.insertOne({ _id: 1 });
    const dead = (await admin.command({ hello: 1 })).primary as string;
    await admin.command({ _sandbox: "member", host: dead, action: "kill" });
    await until(async () => {
      const primary = await admin.command({ hello: 1 }).then(
        (hello) => hello.primary as string | undefined,
        () => undefined,
      );
      return primary !== undefined && primary !== dead;
    }, "another primary");
    await items.insertOne({ _id: 2 });
    await expect(direct(database.uri, dead).connect()).rejects.toThrow(/ECONNREFUSED|connect/);
    const status = await admin.command({ replSetGetStatus: 1 });
    expect(
      status.members
        .filter(({ health }: { health: number }) => health === 0)
        .map(({ name }: { name: string }) => name),
    ).toEqual([dead]);
    await admin.command({ _sandbox: "member", host: dead, action: "restart" });
    await until(async () => {
      const { members } = await admin.command({ replSetGetStatus: 1 });
      return members.every(({ health }: { health: number }) => health === 1);
    }, "all members healthy");
    expect((await items.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 2]);
    await client.close();
  }, 30_000);

  test("a majority write waits for members that are down, up to its wtimeout", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri);
    const admin = client.db("admin");
    const { hosts, primary } = await admin.command({ hello: 1 });
    const others = (hosts as string[]).filter((host) => host !== primary);
    for (const host of others) await admin.command({ _sandbox: "member", host, action: "kill" });
    await until(
      async () =>
        (await admin.command({ replSetGetStatus: 1 })).members.filter(
          ({ health }: { health: number }) => health === 1,
        ).length === 1,
      "two members down",
    );
    const items = client.db("x").collection<{ _id: number }>("items");
    expect(
      await codeOf(items.insertOne({ _id: 1 }, { writeConcern: { w: "majority", wtimeoutMS: 100 } })),
    ).toBe(64);
    expect(await items.countDocuments()).toBe(1);
    const patient = items.insertOne({ _id: 2 }, { writeConcern: { w: "majority" } });
    await admin.command({ _sandbox: "member", host: others[0]!, action: "restart" });
    expect((await patient).acknowledged).toBe(true);
    await client.close();
  }, 30_000);

  test("the same folder is refused to another set name, with the way out", async () => {
    await using database = await startDatabase();
    await database.stop();
    await expect(startDatabase({ directory: database.directory, args: ["--set", "other"] })).rejects.toThrow(
      /exit code 1/,
    );
  });
});

describe("faults of the sandbox", () => {
  test("fire on the nth match, before or after the effect, and the journal tells what ran", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri, { retryWrites: false, appName: "journalled" });
    const admin = client.db("admin");
    const items = client.db("x").collection<{ _id: number }>("items");
    await admin.command({
      _sandbox: "arm",
      command: "insert",
      ns: "^x\\.items$",
      nth: 2,
      when: "before",
      action: { error: 14_031, message: "disk full" },
    });
    await admin.command({
      _sandbox: "arm",
      command: "insert",
      nth: 3,
      when: "after",
      action: { closeConnection: true },
    });
    expect(await codeOf(items.insertOne({ _id: 1 }))).toBe(0);
    expect(await codeOf(items.insertOne({ _id: 2 }))).toBe(14_031);
    expect(await codeOf(items.insertOne({ _id: 3 }))).toBe(0);
    await expect(items.insertOne({ _id: 4 })).rejects.toThrow(/closed/);
    expect((await items.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 3, 4]);
    const { entries } = await admin.command({ _sandbox: "journal" });
    const inserts = entries.filter(({ command }: { command: string }) => command === "insert");
    expect(
      inserts.map(({ code, ns, appName }: { code: number; ns: string; appName: string }) => [
        code,
        ns,
        appName,
      ]),
    ).toEqual([
      [0, "x.items", "journalled"],
      [14_031, "x.items", "journalled"],
      [0, "x.items", "journalled"],
    ]);
    await client.close();
  });

  test("can kill the server before and after the effect of a chosen command", async () => {
    for (const when of ["before", "after"]) {
      await using database = await startDatabase();
      const client = new MongoClient(database.uri, { retryWrites: false, serverSelectionTimeoutMS: 500 });
      await client.db("x").collection<{ _id: number }>("items").insertOne({ _id: 1 });
      await client.db("admin").command({ _sandbox: "arm", command: "insert", when, action: { exit: true } });
      await expect(
        client.db("x").collection<{ _id: number }>("items").insertOne({ _id: 2 }),
      ).rejects.toThrow();
      await client.close();
      await using again = await startDatabase({ directory: database.directory });
      const later = new MongoClient(again.uri);
      expect(await later.db("x").collection("items").countDocuments()).toBe(when === "before" ? 1 : 2);
      await later.close();
    }
  }, 30_000);

  test("a multi-update told to commit late commits behind a write issued meanwhile", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri);
    const items = client.db("x").collection<{ _id: number; n?: number }>("items");
    await items.insertMany([{ _id: 1 }, { _id: 2 }]);
    await client.db("admin").command({ _sandbox: "set", multiWriteCommitDelayMs: 300 });
    const stream = client.db("x").watch();
    await stream.tryNext();
    const late = items.updateMany({}, { $set: { n: 1 } });
    await Bun.sleep(50);
    await client.db("x").collection<{ _id: number }>("fence").insertOne({ _id: 1 });
    await late;
    const order = [await stream.next(), await stream.next(), await stream.next()].map(
      ({ operationType }) => operationType,
    );
    expect(order).toEqual(["insert", "update", "update"]);
    await client.close();
  });

  test("are for root only", async () => {
    await using database = await startDatabase();
    const client = new MongoClient(database.uri);
    await client
      .db("admin")
      .command({ createUser: "admin", pwd: "x", roles: ["clusterAdmin", "userAdminAnyDatabase"] });
    const other = new MongoClient(database.uri.replace(/\/\/[^@]*@/, "//admin:x@"));
    expect(await codeOf(other.db("admin").command({ _sandbox: "faults" }))).toBe(13);
    await Promise.all([client.close(), other.close()]);
  });
});
