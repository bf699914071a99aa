import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { CredentialsWorld, oldPassword } from "../../tests/support/credentials-world.ts";
import type { ActionRun } from "../actions/run-action.ts";

setDefaultTimeout(30_000);

const dms = { account: "replication", operation: "rotation-1" };
const both = { ...dms, change: "user-and-password" };
const passwordOnly = { ...dms, change: "password" };
const labelsOf = async (world: CredentialsWorld, secret = "dms-secret") =>
  Object.fromEntries(
    await Promise.all(
      (await world.versions.list(secret)).map(async ({ id, labels }) => {
        const fields = await world.versions.read(secret, { id });
        return [labels.join("+"), fields?.username ?? ""] as const;
      }),
    ),
  );
const currentOf = async (world: CredentialsWorld, secret = "dms-secret") =>
  (await world.versions.read(secret, { label: "AWSCURRENT" }))!;
const wordsOf = ({ result, failure }: ActionRun) => `${JSON.stringify(result)} ${failure?.message ?? ""}`;

describe("two users take turns", () => {
  let world: CredentialsWorld;
  beforeAll(async () => {
    world = await CredentialsWorld.start();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("what must hold is checked one by one, and nothing is changed", async () => {
    const { checks, data } = await world.must("check-credentials", both);
    expect(checks.map(({ name }) => name)).toEqual([
      "keys of secret dms-secret",
      "Roundtrip's user may manage users on DocumentDB",
      "user dms of secret dms-secret",
      "no other rotation of secret dms-secret",
      "name dms_b for the second user",
      "login of dms with the current version",
    ]);
    expect(data).toEqual({ secret: "dms-secret", username: "dms", target: "dms_b" });
    expect(Object.keys(await world.users()).sort()).toEqual(["application", "dms", "operator", "root"]);
    expect(await labelsOf(world)).toEqual({ AWSCURRENT: "dms" });
  });

  test("promoting before preparing is refused", async () => {
    const { failure } = await world.run("promote-credentials", dms);
    expect(failure).toMatchObject({ kind: "refused", wayOut: "run the rotation from its beginning" });
  });

  test("the second user has the roles of the first and can log in, while the secret still names the first", async () => {
    const { data } = await world.must("prepare-credentials", both);
    expect(data).toMatchObject({ username: "dms_b", previousUsername: "dms" });
    const users = await world.users();
    expect(users.dms_b).toEqual(users.dms!);
    expect(await labelsOf(world)).toEqual({ AWSCURRENT: "dms", AWSPENDING: "dms_b" });
    const { password = "" } = (await world.versions.read("dms-secret", { label: "AWSPENDING" }))!;
    expect(await world.login("dms_b", password)).toBe(0);
    expect(await world.login("dms", oldPassword)).toBe(0);
  });

  test("another rotation is refused while one is pending, by the version's name", async () => {
    const { failure } = await world.run("prepare-credentials", { ...both, operation: "rotation-2" });
    expect(failure?.kind).toBe("refused");
    expect(failure?.message).toContain("is pending");
    expect(failure?.wayOut).toContain("run it again with the inputs it was begun with");
  });

  test("the old user stays until it is named for removal, and every other field of the secret stays", async () => {
    await world.must("prepare-credentials", both);
    await world.must("promote-credentials", dms);
    expect(await labelsOf(world)).toEqual({ AWSCURRENT: "dms_b", AWSPREVIOUS: "dms" });
    const { username, password = "", engine, host } = await currentOf(world);
    expect([username, engine, host]).toEqual(["dms_b", "mongo", world.host.split(":")[0]!]);
    expect(await world.login("dms_b", password)).toBe(0);
    expect(await world.login("dms", oldPassword)).toBe(0);
    const record = (await readJson<PromotionRecord>(world.world.store, promotionKey("replication")))!.value;
    expect(record).toMatchObject({ username: "dms_b", previousUsername: "dms", operationId: "rotation-1" });
    expect(JSON.stringify(record)).not.toContain(password);
    // Once more, as a lost answer makes a runner do: the record keeps its time.
    await world.must("promote-credentials", dms);
    expect((await readJson(world.world.store, promotionKey("replication")))!.value).toEqual(record);
  });

  test("removal is refused for the current user, for strangers, and while a connection is open as the old one", async () => {
    const removal = (name: string) =>
      world.run("remove-old-user", { account: "replication", "old-username": name });
    for (const name of ["dms_b", "application", "operator", "nobody"]) {
      const { failure } = await removal(name);
      expect(failure?.message).toContain(`${name} is the old user of replication`);
    }
    const { MongoClient } = await import("mongodb");
    const client = await new MongoClient(`mongodb://${world.host}/`, {
      auth: { username: "dms", password: oldPassword },
      appName: "forgotten",
      retryWrites: false,
    }).connect();
    try {
      const { failure } = await removal("dms");
      expect(failure?.kind).toBe("refused");
      expect(failure?.got).toContain("(forgotten)");
    } finally {
      await client.close();
    }
    expect(Object.keys(await world.users())).toContain("dms");
  });

  test("the removed user can't log in, its version loses the label, and removing it again is done", async () => {
    const removal = { account: "replication", "old-username": "dms" };
    await world.must("remove-old-user", removal);
    expect(await world.login("dms", oldPassword)).toBe(18);
    expect(await labelsOf(world)).toEqual({ AWSCURRENT: "dms_b" });
    const again = await world.must("remove-old-user", removal);
    expect(again.checks.at(-1)).toMatchObject({ got: "gone before" });
  });

  test("the next rotation goes back to the first name", async () => {
    const next = { ...both, operation: "rotation-3" };
    expect((await world.must("check-credentials", next)).data).toMatchObject({ target: "dms" });
  });
});

test("with the password alone the same user gets it when it is promoted, not before; the old one is refused then", async () => {
  await using world = await CredentialsWorld.start();
  await world.must("prepare-credentials", passwordOnly);
  expect(await world.login("dms", oldPassword)).toBe(0);
  await world.must("promote-credentials", dms);
  const { username = "", password = "" } = await currentOf(world);
  expect(username).toBe("dms");
  expect(await world.login("dms", password)).toBe(0);
  expect(await world.login("dms", oldPassword)).toBe(18);
  expect(Object.keys(await world.users()).sort()).toEqual(["application", "dms", "operator", "root"]);
});

test("an application user's password is renewed; its secret needs no address", async () => {
  await using world = await CredentialsWorld.start();
  const account = { account: "application:application", operation: "renewal-1" };
  await world.must("prepare-credentials", { ...account, change: "password" });
  await world.must("promote-credentials", account);
  const { username = "", password = "" } = await currentOf(world, "application-secret");
  expect(password).not.toBe(oldPassword);
  expect(await world.login(username, password)).toBe(0);
  expect(await world.login(username, oldPassword)).toBe(18);
  const { failure } = await world.run("check-credentials", {
    ...account,
    account: "application:stranger",
    change: "password",
  });
  expect(failure).toMatchObject({ kind: "usage", expected: "replication, application:application" });
});

test("preconditions that don't hold are refused by name, with the way out, and change nothing", async () => {
  await using world = await CredentialsWorld.start([
    { role: "readAnyDatabase", db: "admin" },
    { role: "clusterMonitor", db: "admin" },
  ]);
  const operator = await world.run("prepare-credentials", both);
  expect(operator.failure?.message).toContain("userAdminAnyDatabase");

  await world.root
    .db("admin")
    .command({ updateUser: "operator", roles: [{ role: "userAdminAnyDatabase", db: "admin" }] });
  const taken = await world.run("prepare-credentials", { ...both, username: "application" });
  expect(taken.failure?.got).toContain("a user the environment lists");
  await world.root.db("admin").command({ createUser: "dms_b", pwd: "x", roles: [] });
  const there = await world.run("prepare-credentials", both);
  expect(there.failure?.wayOut).toContain("remove-old-user");
  await world.root.db("admin").command({ dropUser: "dms" });
  const gone = await world.run("prepare-credentials", passwordOnly);
  expect(gone.failure?.got).toContain("no such user");
  expect(await labelsOf(world)).toEqual({ AWSCURRENT: "dms" });

  await world.world.enter("capturing");
  const open = await world.run("prepare-credentials", passwordOnly);
  expect(open.failure).toMatchObject({ kind: "refused", got: expect.stringContaining("phase capturing") });
  for (const run of [operator, taken, there, gone, open]) expect(wordsOf(run)).not.toContain(oldPassword);
});

test("credentials that no longer work are said, and the rotation mends them", async () => {
  await using world = await CredentialsWorld.start();
  await world.root.db("admin").command({ updateUser: "dms", pwd: "changed-by-hand" });
  const { checks } = await world.must("check-credentials", passwordOnly);
  expect(checks.at(-1)?.got).toBe("refused: this rotation mends it");
  await world.must("prepare-credentials", passwordOnly);
  await world.must("promote-credentials", dms);
  expect(await world.login("dms", (await currentOf(world)).password ?? "")).toBe(0);
});
