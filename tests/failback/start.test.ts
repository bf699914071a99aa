import { describe, expect, test } from "bun:test";
import { newestManifest, readManifests } from "../../adapters/log/manifests.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { RolesRecord } from "../../core/access/roles-record.ts";
import type { Catalog, MongodbIdentity, StartPoint } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { worldFailbackId } from "../support/service-world.ts";

const limit = 60_000;
const one = { _id: 1 as never };

const read = async <T>(it: FailbackWorld, key: string) => (await readJson<T>(it.world.store, key))?.value;
const failedChecks = (run: Awaited<ReturnType<FailbackWorld["run"]>>) =>
  run.result.checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe("start of a failback on the stand-ins", () => {
  test(
    "failback 1: a listed writer loses its rights, proved on sessions that keep them a while, and its roles are kept",
    async () => {
      await using it = await FailbackWorld.start({ staleAuthorizationMs: 500 });
      await it.world.enter("capturing");
      const dms = await it.client("documentdb", "dms");
      await dms
        .db("shop")
        .collection("orders")
        .updateOne(one, { $set: { seen: true } });
      const { data } = await it.must("demote-writers");
      expect(data.demoted).toEqual(["dms"]);
      const refusals = data.refusals as { user: string; afterMs: number }[];
      expect(refusals.find(({ user }) => user === "dms")!.afterMs).toBeGreaterThanOrEqual(400);
      await expect(dms.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({ code: 13 });
      const record = await read<RolesRecord>(it, it.world.keys.roles);
      expect(record?.users.find(({ user }) => user === "dms")?.roles).toEqual([
        { role: "readWriteAnyDatabase", db: "admin" },
      ]);
      await it.must("demote-writers");
      expect(await read<RolesRecord>(it, it.world.keys.roles)).toEqual(record!);
    },
    limit,
  );

  test(
    "failback 1: an unlisted writer, also one through an inherited custom role, stops the start by name",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("capturing");
      const admin = (await it.client("documentdb")).db("admin");
      const privileges = [{ resource: { db: "shop", collection: "orders" }, actions: ["update"] }];
      await admin.command({ createRole: "inner", privileges, roles: [] });
      await admin.command({ createRole: "outer", privileges: [], roles: [{ role: "inner", db: "admin" }] });
      await admin.command({ createUser: "stranger", pwd: "p", roles: [{ role: "outer", db: "admin" }] });
      const { failure } = await it.run("demote-writers");
      expect(failure).toMatchObject({ kind: "refused" });
      expect(failure?.message).toContain("stranger can write through outer@admin");
      const dms = await it.client("documentdb", "dms");
      await dms
        .db("shop")
        .collection("orders")
        .updateOne(one, { $set: { still: "allowed" } });
    },
    limit,
  );

  test(
    "failback 2: an application user that can already write refuses the start, and passes with --force",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("normal");
      await it.must("record-identity", { databases: "shop" });
      const admin = (await it.client("documentdb")).db("admin");
      await admin.command({ updateUser: "application", roles: [{ role: "readWrite", db: "shop" }] });
      expect(failedChecks(await it.run("check-start"))).toEqual([
        "application user application",
        "MongoDB is away",
      ]);
      expect(failedChecks(await it.run("check-start", { force: "MongoDB is sick" }))).toEqual([]);
    },
    limit,
  );

  test(
    "failback 3: change streams are on and shown, and the start point is kept once",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("capturing");
      const first = await it.must("enable-change-streams");
      const kept = await read<StartPoint>(it, it.world.keys.startPoint);
      expect(kept?.operationTime).toEqual(first.data.operationTime as StartPoint["operationTime"]);
      await (await it.client("documentdb")).db("shop").collection("orders").insertOne({});
      await it.must("enable-change-streams");
      expect(await read<StartPoint>(it, it.world.keys.startPoint)).toEqual(kept!);
      const rows = await (await it.client("documentdb"))
        .db("admin")
        .aggregate([{ $listChangeStreams: 1 }])
        .toArray();
      expect(rows).toMatchObject([{ database: "", collection: "" }]);
    },
    limit,
  );

  test(
    "failback 3: change streams that somebody switched off after users could write are a gap, not a new start",
    async () => {
      await using it = await FailbackWorld.start();
      await it.startFailback();
      const admin = (await it.client("documentdb")).db("admin");
      await admin.command({ modifyChangeStreams: 1, database: "", collection: "", enable: false });
      expect((await it.run("enable-change-streams")).failure).toMatchObject({
        kind: "historyLost",
        exitCode: 10,
      });
    },
    limit,
  );

  test(
    "failback 4 and 5: the canary is in the log before application users can write, and without it they can't",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("capturing");
      await it.must("demote-writers");
      await it.must("enable-change-streams");
      const application = await it.client("documentdb", "application");
      const orders = application.db("shop").collection("orders");
      expect(failedChecks(await it.run("grant-writers"))).toEqual([
        "capture was proved",
        "capture runs",
        "capture is alive",
      ]);
      await it.must("start-service", { unit: "replication.service" });
      expect(failedChecks(await it.run("grant-writers"))).toEqual(["capture was proved"]);
      await expect(orders.insertOne({})).rejects.toMatchObject({ code: 13 });

      const { data } = await it.must("canary");
      const { manifest } = (await newestManifest(it.world.store, worldFailbackId))!;
      expect(manifest.number).toBeGreaterThanOrEqual(Number(data.manifest));
      await it.must("grant-writers", { "allow-remove": "false" });
      await orders.insertOne({ _id: 2 as never });
      await orders.updateOne({ _id: 2 as never }, { $set: { a: 1 } });
      await expect(orders.deleteOne({ _id: 2 as never })).rejects.toMatchObject({ code: 13 });
      await it.must("grant-writers", { "allow-remove": "true" });
      await orders.deleteOne({ _id: 2 as never });
      await expect(application.db("elsewhere").collection("c").insertOne({})).rejects.toMatchObject({
        code: 13,
      });

      let captured = 0;
      for (let look = 0; look < 100 && captured < 3; look++) {
        await Bun.sleep(20);
        captured = 0;
        for await (const each of readManifests(it.world.store, worldFailbackId)) {
          for (const object of each.manifest.objects) if (object.kind === "scope") captured += object.events;
        }
      }
      expect(captured).toBe(3);
    },
    limit,
  );

  test(
    "failback 6: each precondition is reported by itself, and DocumentDB's catalog is kept",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("normal");
      await it.must("record-identity", { databases: "shop" });
      const identity = await read<MongodbIdentity>(it, identityKey);
      expect(identity).toMatchObject({ setName: "rs0" });
      expect(identity!.catalog.collections.map(({ name }) => name)).toEqual(["customers", "orders"]);
      const { result } = await it.run("check-start");
      expect(failedChecks({ result })).toEqual(["MongoDB is away"]);
      const catalog = await read<Catalog>(it, it.world.keys.catalog("documentdb-start"));
      expect(catalog!.collections.map(({ name }) => name)).toEqual(["customers", "orders"]);

      await (await it.client("documentdb")).db("shop").collection("orders").dropIndexes();
      const without = await it.run("check-start", { force: "rehearsal" });
      expect(failedChecks(without)).toEqual(["unique index of shop.orders"]);
    },
    limit,
  );
});
