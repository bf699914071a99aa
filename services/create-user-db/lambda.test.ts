/** What create-user-db does, through its archive: see tests/support/lambda-world.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ProvisionRequest } from "../../core/provision/model.ts";
import { LambdaWorld } from "../../tests/support/lambda-world.ts";

const planted = ["planted-first-4711", "planted-second-0815", "planted/third @:%4242"] as const;
let world: LambdaWorld;

beforeAll(async () => {
  world = await LambdaWorld.start();
  await world.createFunction("dev");
  await world.createFunction("prod", { ROUNDTRIP_ENVIRONMENT: "prod" });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.reset({ username: "dms", password: planted[0] }));

const shop = { name: "shop", collections: ["orders", "customers"] } as const;
const dev = (more: Partial<ProvisionRequest> = {}): ProvisionRequest => ({
  version: 1,
  environment: "dev",
  databases: [shop],
  ...more,
});
const prod = (more: Partial<ProvisionRequest> = {}) => dev({ environment: "prod", ...more });
const names = (items: readonly { kind: string; name: string }[] | undefined) =>
  items?.map(({ kind, name }) => `${kind} ${name}`);

describe("create-user-db, called directly", () => {
  test("creates user, databases and collections; run again it changes nothing", async () => {
    const first = await world.tell("dev", dev());
    expect(names(first.answer?.created)).toEqual([
      "user dms",
      "database shop",
      "collection shop.orders",
      "collection shop.customers",
    ]);
    expect(await world.standing("shop")).toEqual(["customers", "orders"]);
    const again = await world.tell("dev", dev());
    expect(again.answer).toMatchObject({ created: [], updated: [], dropped: [], kept: [] });
    expect(names(again.answer?.unchanged)).toEqual([
      "user dms",
      "database shop",
      "collection shop.orders",
      "collection shop.customers",
    ]);
  }, 30_000);

  test("the DMS user reads and writes the declared databases, and nothing else", async () => {
    await world.tell("dev", dev());
    expect(await world.rolesOf("dms")).toEqual([{ role: "readWrite", db: "shop" }]);
    expect(await world.write("dms", planted[0], "shop")).toBe(0);
    expect(await world.write("dms", planted[0], "billing")).toBe(13);
    const more = await world.tell(
      "dev",
      dev({ databases: [shop, { name: "billing", collections: ["invoices"] }] }),
    );
    expect(more.answer?.updated).toEqual([
      { kind: "user", name: "dms", note: "readWrite on billing, readWrite on shop" },
    ]);
    expect(await world.write("dms", planted[0], "billing")).toBe(0);
  }, 30_000);

  test("a new password in the secret becomes the user's", async () => {
    await world.tell("dev", dev());
    await world.putSecret("dms", { username: "dms", password: planted[2] });
    const { answer } = await world.tell("dev", dev());
    expect(answer?.updated).toEqual([{ kind: "user", name: "dms", note: "password of the secret" }]);
    expect(await world.write("dms", planted[2], "shop")).toBe(0);
    expect(await world.write("dms", planted[0], "shop")).toBe(18);
    expect((await world.tell("dev", dev())).answer?.updated).toEqual([]);
  }, 30_000);

  test("a new username is a second user; the old one keeps its login until it is retired by name", async () => {
    await world.tell("dev", dev());
    await world.putSecret("dms", { username: "dms2", password: planted[1] });
    expect(names((await world.tell("dev", dev())).answer?.created)).toEqual(["user dms2"]);
    expect(await world.write("dms", planted[0], "shop")).toBe(0);
    expect(await world.write("dms2", planted[1], "shop")).toBe(0);
    const retired = await world.tell("dev", dev({ retiredUsers: ["dms"] }));
    expect(names(retired.answer?.dropped)).toEqual(["user dms"]);
    expect(await world.write("dms", planted[0], "shop")).toBe(18);
    expect((await world.tell("dev", dev({ retiredUsers: ["dms"] }))).answer?.dropped).toEqual([]);
    const own = await world.tell("dev", dev({ retiredUsers: ["dms2"] }));
    expect(own.error).toContain("expected former names of the DMS user");
    expect((await world.tell("dev", dev({ retiredUsers: ["root"] }))).error).toContain(
      "former names of the DMS user",
    );
  }, 30_000);

  test("a rename keeps the documents", async () => {
    await world.tell("dev", dev());
    await world.client
      .db("shop")
      .collection("customers")
      .insertOne({ _id: 7 as never });
    const renamed = { name: "shop", collections: ["orders", { name: "clients", renamedFrom: "customers" }] };
    const { answer } = await world.tell("dev", dev({ databases: [renamed], previous: [shop] }));
    expect(answer?.updated).toEqual([
      { kind: "collection", name: "shop.clients", note: "renamed from customers" },
    ]);
    expect(answer?.dropped).toEqual([]);
    expect(await world.client.db("shop").collection("clients").findOne()).toEqual({ _id: 7 as never });
    expect(
      (await world.tell("dev", dev({ databases: [renamed], previous: [shop] }))).answer?.updated,
    ).toEqual([]);
  }, 30_000);

  test("a dry run gives the difference and does nothing", async () => {
    const { answer } = await world.tell("dev", dev({ dryRun: true }));
    expect(answer).toMatchObject({ dryRun: true });
    expect(names(answer?.created)).toContain("collection shop.orders");
    expect(await world.rolesOf("dms")).toBeUndefined();
    expect(await world.standing("shop")).toEqual([]);
  }, 30_000);

  test("without previous nothing is removed, not even in dev", async () => {
    await world.tell("dev", dev());
    const { answer } = await world.tell(
      "dev",
      dev({ databases: [{ name: "shop", collections: ["orders"] }] }),
    );
    expect(answer).toMatchObject({ dropped: [], kept: [] });
    expect(await world.standing("shop")).toEqual(["customers", "orders"]);
  }, 30_000);
});

describe("create-user-db, called by Terraform", () => {
  const billing = { name: "billing", collections: ["invoices"] } as const;
  const less = { name: "shop", collections: ["orders"] } as const;

  test("in dev an update drops what the last input had, and an undeclared neighbour stays", async () => {
    const before = dev({ databases: [shop, billing] });
    await world.tell("dev", { ...before, tf: { action: "create", prev_input: null } });
    await world.client.db("shop").createCollection("neighbour");
    const update = dev({ databases: [less], tf: { action: "update", prev_input: before } });
    const { answer } = await world.tell("dev", update);
    expect(names(answer?.dropped)).toEqual(["collection shop.customers", "database billing"]);
    expect(await world.standing("shop")).toEqual(["neighbour", "orders"]);
    expect(await world.standing("billing")).toEqual([]);
    expect(await world.rolesOf("dms")).toEqual([{ role: "readWrite", db: "shop" }]);
    expect((await world.tell("dev", update)).answer).toMatchObject({ dropped: [], updated: [], created: [] });
  }, 30_000);

  test("prod keeps what is removed, and says so", async () => {
    const before = prod({ databases: [shop, billing] });
    await world.tell("prod", { ...before, tf: { action: "create", prev_input: null } });
    const { answer } = await world.tell(
      "prod",
      prod({ databases: [less], tf: { action: "update", prev_input: before } }),
    );
    expect(answer?.dropped).toEqual([]);
    expect(answer?.kept).toEqual([
      { kind: "collection", name: "shop.customers", note: "no longer declared; prod keeps its data" },
      { kind: "database", name: "billing", note: "no longer declared; prod keeps its data" },
    ]);
    expect([await world.standing("shop"), await world.standing("billing")]).toEqual([
      ["customers", "orders"],
      ["invoices"],
    ]);
  }, 30_000);

  test("delete: dev drops databases and user, twice is fine; prod keeps all of it", async () => {
    await world.tell("dev", dev());
    const gone = dev({ tf: { action: "delete", prev_input: dev() } });
    expect(names((await world.tell("dev", gone)).answer?.dropped)).toEqual(["user dms", "database shop"]);
    expect(await world.rolesOf("dms")).toBeUndefined();
    expect((await world.tell("dev", gone)).answer).toMatchObject({ dropped: [], created: [] });
    await world.tell("prod", prod());
    const { answer } = await world.tell("prod", prod({ tf: { action: "delete", prev_input: prod() } }));
    expect([answer?.dropped, names(answer?.kept)]).toEqual([[], ["user dms", "database shop"]]);
    expect(await world.write("dms", planted[0], "shop")).toBe(0);
  }, 30_000);
});

test("no answer, error or log line of all these calls holds a password", () => {
  expect(world.told.length).toBeGreaterThan(40);
  for (const secret of [...planted, world.rootPassword])
    for (const text of world.told)
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
        expect(text).not.toContain(form);
});
