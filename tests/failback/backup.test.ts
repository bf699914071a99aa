import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { completeDump } from "../../services/backup/dump-store.ts";
import { runBackup } from "../../services/backup/run.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { worldFailbackId } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";

const limit = 120_000;
const built = join(import.meta.dir, "../../.tools/bin");
const tool = (name: string) =>
  Bun.which(name) ?? (existsSync(join(built, name)) ? join(built, name) : undefined);
const mongodump = tool("mongodump");
const missing = !mongodump && process.env.REQUIRE_ALL !== "1";

async function backup(it: FailbackWorld, executable = mongodump ?? "mongodump"): Promise<void> {
  const { service } = it.world;
  const directory = join(service.stateDirectory, "private");
  await runBackup({ service, databases: it.databases, executable, directory });
}

const dumpOf = (it: FailbackWorld, side: "mongodb" | "documentdb") =>
  completeDump(it.world.store, worldFailbackId, side);

describe.skipIf(missing)("backup with the real mongodump on the stand-ins", () => {
  test(
    "failback 16: MongoDB first, DocumentDB once it has drained; mongorestore reads the dump, a rerun keeps it",
    async () => {
      await using it = await FailbackWorld.start();
      await it.startFailback();
      const source = await it.client("mongodb");
      await source
        .db("shop")
        .collection("customers")
        .insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
      const running = backup(it);
      await waitFor("the dump of MongoDB", async () => (await dumpOf(it, "mongodb")) !== undefined, 60_000);
      await it.must("close-mongodb");
      await it.world.enter("draining");
      await it.must("drain");
      expect(await dumpOf(it, "documentdb")).toBeUndefined();
      await it.world.enter("restoring");
      await running;

      const manifest = (await dumpOf(it, "mongodb"))!;
      const counts = Object.fromEntries(
        manifest.namespaces.map(({ namespace, documents }) => [namespace, documents]),
      );
      expect(counts).toMatchObject({ "shop.customers": 500, "shop.orders": 1 });
      expect(manifest.tool).toContain("mongodump version");
      expect((await dumpOf(it, "documentdb"))?.fence).toBe(1);
      await backup(it);
      expect(await dumpOf(it, "mongodb")).toEqual(manifest);

      const archive = (await it.world.store.get(manifest.key))!.body;
      expect(gunzipSync(archive).subarray(0, 4).toString("hex")).toBe("6de29981");
      const restored = await restoreInto(await it.client("mongodb"), it.mongodbUri, archive);
      expect(restored).toBe(500);
    },
    limit,
  );

  test(
    "a wrong password is named by its secret, and appears nowhere",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("capturing");
      const uri = it.mongodbUri.replace(/\/\/[^@]*@/, "//roundtrip:wrong-password@");
      const { service } = it.world;
      const secrets = {
        get: async (name: string) => (name === "mongodb-secret" ? { uri } : service.secrets.get(name)),
      };
      const running = runBackup({
        service: { ...service, secrets },
        databases: it.databases,
        executable: mongodump ?? "mongodump",
        directory: join(service.stateDirectory, "private"),
      });
      const error = (await running.catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({ kind: "denied" });
      expect(error.message).toContain("mongodb-secret");
      expect(error.message).not.toContain("wrong-password");
      expect(await dumpOf(it, "mongodb")).toBeUndefined();
    },
    limit,
  );

  test(
    "once restore has applied changes a missing dump of MongoDB refuses: it would not be the one to go back to",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("restoring");
      await it.world.store.put(it.world.keys.restoreCheckpoint, new Uint8Array(1));
      await expect(backup(it)).rejects.toMatchObject({ kind: "refused" });
    },
    limit,
  );
});

/** Drops a collection, lets mongorestore bring it back, and counts. */
async function restoreInto(
  client: Awaited<ReturnType<FailbackWorld["client"]>>,
  uri: string,
  archive: Uint8Array,
): Promise<number> {
  await client.db("admin").command({ setUserWriteBlockMode: 1, global: false });
  await client.db("shop").collection("customers").drop();
  const words = ["--gzip", "--archive", "--nsInclude=shop.customers", `--uri=${uri}`];
  const child = Bun.spawn([tool("mongorestore") ?? "mongorestore", ...words], {
    stdin: archive,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, code] = [await new Response(child.stderr).text(), await child.exited];
  expect([code, code === 0 ? "" : said]).toEqual([0, ""]);
  return client.db("shop").collection("customers").countDocuments();
}
