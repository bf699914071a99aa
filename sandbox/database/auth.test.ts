/** Users, roles and what they may do: enforced for each command, at once or (knob) after a while. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Db, MongoClient } from "mongodb";
import { type RunningDatabase, startDatabase } from "./testing.ts";

let database: RunningDatabase;
let root: MongoClient;

beforeAll(async () => {
  database = await startDatabase();
  root = new MongoClient(database.uri);
});

afterAll(async () => {
  await root.close();
  await database[Symbol.asyncDispose]();
});

/** A client logged in as `user`; its pool has one connection, so that its login happens once. */
async function loggedIn(user: string): Promise<MongoClient> {
  const client = new MongoClient(database.uri.replace(/\/\/[^@]*@/, `//${user}:secret@`), { maxPoolSize: 1 });
  await client.connect();
  return client;
}

async function makeUser(user: string, roles: unknown[]): Promise<void> {
  await root.db("admin").command({ createUser: user, pwd: "secret", roles });
}

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return promise.then(
    () => 0,
    (error: { code?: number }) => error.code ?? -1,
  );
}

const attempts: Record<string, (db: Db) => Promise<unknown>> = {
  find: (db) => db.collection("things").findOne({}),
  insert: (db) => db.collection("things").insertOne({}),
  update: (db) => db.collection("things").updateOne({ _id: 1 as never }, { $set: { a: 1 } }),
  upsert: (db) =>
    db.collection("things").updateOne({ _id: 1 as never }, { $set: { a: 1 } }, { upsert: true }),
  remove: (db) => db.collection("things").deleteOne({ _id: 9 as never }),
  findAndModify: (db) => db.collection("things").findOneAndUpdate({ _id: 9 as never }, { $set: { a: 1 } }),
  aggregate: (db) =>
    db
      .collection("things")
      .aggregate([{ $match: {} }])
      .toArray(),
  out: (db) =>
    db
      .collection("things")
      .aggregate([{ $out: "other" }])
      .toArray(),
  lookup: (db) =>
    db
      .collection("things")
      .aggregate([{ $lookup: { from: "other", as: "x", pipeline: [] } }])
      .toArray(),
  watch: async (db) => {
    const stream = db.collection("things").watch();
    try {
      await stream.tryNext();
    } finally {
      await stream.close();
    }
  },
  createIndex: (db) => db.collection("things").createIndex({ a: 1 }),
  drop: (db) => db.command({ drop: "nothing" }),
  createUser: (db) => db.command({ createUser: `u${Math.random()}`, pwd: "x", roles: [] }),
  serverStatus: (db) => db.admin().command({ serverStatus: 1 }),
  listDatabases: (db) => db.admin().command({ listDatabases: 1, authorizedDatabases: false }),
  writeBlock: (db) => db.admin().command({ setUserWriteBlockMode: 1, global: false }),
  sandbox: (db) => db.admin().command({ _sandbox: "faults" }),
  stepDown: (db) => db.admin().command({ replSetFreeze: 0 }),
};

async function allowed(client: MongoClient): Promise<string[]> {
  const names: string[] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    const code = await codeOf(attempt(client.db("shop")));
    if (code !== 13) names.push(name);
  }
  return names;
}

const reading = ["find", "aggregate", "watch"];

describe("built-in roles", () => {
  const expected: Record<string, { roles: unknown[]; may: string[] }> = {
    nobody: { roles: [], may: [] },
    reader: { roles: [{ role: "read", db: "shop" }], may: [...reading, "lookup"] },
    stranger: { roles: [{ role: "readWrite", db: "elsewhere" }], may: [] },
    writer: {
      roles: [{ role: "readWrite", db: "shop" }],
      may: [
        ...reading,
        "lookup",
        "insert",
        "update",
        "upsert",
        "remove",
        "findAndModify",
        "out",
        "createIndex",
        "drop",
      ],
    },
    administrator: { roles: [{ role: "dbAdmin", db: "shop" }], may: ["createIndex", "drop"] },
    usersOnly: { roles: [{ role: "userAdmin", db: "shop" }], may: ["createUser"] },
    readsAll: { roles: ["readAnyDatabase"], may: [...reading, "lookup", "listDatabases"] },
    monitor: { roles: ["clusterMonitor"], may: ["serverStatus", "listDatabases"] },
    restorer: {
      roles: ["restore"],
      may: [
        "find",
        "insert",
        "update",
        "upsert",
        "remove",
        "findAndModify",
        "aggregate",
        "out",
        "lookup",
        "createIndex",
        "drop",
        "createUser",
        "listDatabases",
        "writeBlock",
      ],
    },
  };
  for (const [user, { roles, may }] of Object.entries(expected)) {
    test(`${user} with ${JSON.stringify(roles)} may do exactly: ${may.join(", ")}`, async () => {
      await makeUser(user, roles);
      const client = await loggedIn(user);
      try {
        expect((await allowed(client)).sort()).toEqual([...may].sort());
      } finally {
        await client.close();
      }
    });
  }
});

describe("custom roles", () => {
  test("a privilege on one collection doesn't reach its neighbour, and inherits through roles", async () => {
    const shop = root.db("shop");
    await shop.command({
      createRole: "lister",
      privileges: [{ resource: { db: "shop", collection: "lists" }, actions: ["find", "insert"] }],
      roles: [],
    });
    await shop.command({ createRole: "boss", privileges: [], roles: ["lister"] });
    await shop.command({ createUser: "bob", pwd: "secret", roles: ["boss"] });
    const client = new MongoClient(
      database.uri.replace(/\/\/[^@]*@/, "//bob:secret@").replace("authSource=admin", "authSource=shop"),
    );
    try {
      const db = client.db("shop");
      expect(await codeOf(db.collection("lists").insertOne({}))).toBe(0);
      expect(await codeOf(db.collection("lists").deleteMany({}))).toBe(13);
      expect(await codeOf(db.collection("things").findOne({}))).toBe(13);
      const status = await db.command({ connectionStatus: 1, showPrivileges: true });
      expect(status.authInfo.authenticatedUsers).toEqual([{ user: "bob", db: "shop" }]);
      expect(status.authInfo.authenticatedUserRoles).toEqual([
        { role: "boss", db: "shop" },
        { role: "lister", db: "shop" },
      ]);
      await shop.command({
        revokePrivilegesFromRole: "lister",
        privileges: [{ resource: { db: "shop", collection: "lists" }, actions: ["insert"] }],
      });
      expect(await codeOf(db.collection("lists").insertOne({}))).toBe(13);
      expect(await codeOf(db.collection("lists").findOne({}))).toBe(0);
      await shop.command({ dropRole: "lister" });
      expect(await codeOf(db.collection("lists").findOne({}))).toBe(13);
    } finally {
      await client.close();
    }
  });

  test("usersInfo shows what a user holds, never its password", async () => {
    const { users } = await root.db("admin").command({ usersInfo: "reader", showPrivileges: true });
    expect(users[0].roles).toEqual([{ role: "read", db: "shop" }]);
    expect(users[0].inheritedPrivileges.length).toBeGreaterThan(0);
    expect(users[0].mechanisms).toEqual(["SCRAM-SHA-1", "SCRAM-SHA-256"]);
    expect(users[0].credentials).toBeUndefined();
    expect(await codeOf(root.db("admin").command({ createUser: "reader", pwd: "x", roles: [] }))).toBe(51003);
    expect(await codeOf(root.db("admin").command({ createUser: "new", pwd: "x", roles: ["nothing"] }))).toBe(
      31,
    );
    expect(await codeOf(root.db("admin").command({ dropUser: "nobody else" }))).toBe(11);
  });
});

describe("changes of rights", () => {
  test("reach open connections at once", async () => {
    await makeUser("demoted", [{ role: "readWrite", db: "shop" }]);
    const client = await loggedIn("demoted");
    try {
      expect(await codeOf(client.db("shop").collection("things").insertOne({}))).toBe(0);
      await root.db("admin").command({ updateUser: "demoted", roles: [{ role: "read", db: "shop" }] });
      expect(await codeOf(client.db("shop").collection("things").insertOne({}))).toBe(13);
      await root
        .db("admin")
        .command({ grantRolesToUser: "demoted", roles: [{ role: "readWrite", db: "shop" }] });
      expect(await codeOf(client.db("shop").collection("things").insertOne({}))).toBe(0);
    } finally {
      await client.close();
    }
  });

  test("reach sessions opened before them only after staleAuthorizationMs, new ones at once", async () => {
    await makeUser("lingering", [{ role: "readWrite", db: "shop" }]);
    const client = await loggedIn("lingering");
    try {
      expect(await codeOf(client.db("shop").collection("things").insertOne({}))).toBe(0);
      await root.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 1500 });
      await root.db("admin").command({ updateUser: "lingering", roles: [{ role: "read", db: "shop" }] });
      expect(await codeOf(client.db("shop").collection("things").insertOne({}))).toBe(0);
      const fresh = await loggedIn("lingering");
      expect(await codeOf(fresh.db("shop").collection("things").insertOne({}))).toBe(13);
      await fresh.close();
      const until = Date.now() + 5000;
      let code = 0;
      while (code === 0 && Date.now() < until) {
        code = await codeOf(client.db("shop").collection("things").insertOne({}));
        await Bun.sleep(50);
      }
      expect(code).toBe(13);
    } finally {
      await root.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 0 });
      await client.close();
    }
  });

  test("a user's new password counts from the next login on, the old one no longer", async () => {
    await makeUser("changer", []);
    await root.db("admin").command({ updateUser: "changer", pwd: "other" });
    expect(await codeOf(loggedIn("changer"))).toBe(18);
    const client = new MongoClient(database.uri.replace(/\/\/[^@]*@/, "//changer:other@"));
    await client.connect();
    await client.close();
  });
});

test("while user writes are blocked, ordinary writers get 371 and those with the bypass privilege go on, also after a restart", async () => {
  await using blocked = await startDatabase();
  const admin = new MongoClient(blocked.uri);
  const shop = admin.db("shop");
  await shop.collection("things").insertOne({});
  await admin
    .db("admin")
    .command({ createUser: "app", pwd: "secret", roles: [{ role: "readWrite", db: "shop" }] });
  await admin.db("admin").command({ createUser: "applier", pwd: "secret", roles: ["restore"] });
  await admin.db("admin").command({ setUserWriteBlockMode: 1, global: true });
  const uri = (user: string): string => blocked.uri.replace(/\/\/[^@]*@/, `//${user}:secret@`);
  const app = new MongoClient(uri("app"));
  const applier = new MongoClient(uri("applier"));
  try {
    for (const name of ["insert", "update", "remove", "createIndex", "out"])
      expect([name, await codeOf(attempts[name]!(app.db("shop")))]).toEqual([name, 371]);
    expect(await codeOf(app.db("shop").collection("things").drop())).toBe(371);
    expect(await codeOf(attempts.find!(app.db("shop")))).toBe(0);
    expect(await codeOf(attempts.insert!(applier.db("shop")))).toBe(0);
    expect(await codeOf(shop.collection("things").insertOne({}))).toBe(0);
    await admin.db("admin").command({ setUserWriteBlockMode: 1, global: false });
    expect(await codeOf(attempts.insert!(app.db("shop")))).toBe(0);
    await admin.db("admin").command({ setUserWriteBlockMode: 1, global: true });
  } finally {
    await Promise.all([admin.close(), app.close(), applier.close()]);
  }
  await blocked.stop();
  await using again = await startDatabase({ directory: blocked.directory });
  const later = new MongoClient(again.uri.replace(/\/\/[^@]*@/, "//app:secret@"));
  expect(await codeOf(attempts.insert!(later.db("shop")))).toBe(371);
  await later.close();
});
