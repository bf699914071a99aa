/** Verification of backups with the real tools: what is proven, and each way in which it isn't, with its message. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Long, serialize } from "bson";
import { systemClock } from "../../adapters/clock.ts";
import { RawScan } from "../../adapters/mongo/raw-scan.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { StoreError } from "../../adapters/store-error.ts";
import { ArchiveReader } from "../../core/backup/archive.ts";
import { Crc64 } from "../../core/backup/crc64.ts";
import type { BackupManifest, BackupRun, Verification } from "../../core/backup/documents.ts";
import { backupKeys, latestVerificationKey, requestKey, runKey } from "../../core/backup/layout.ts";
import type { Level, VerificationRequest } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { BackupSettings } from "../../core/failback/documents.ts";
import verificationSchema from "../../schemas/verification.schema.json";
import { createDatabases } from "../../services/access/databases.ts";
import { runVerifyBackup } from "../../services/verify-backup/run.ts";
import { ServiceWorld } from "../support/service-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";
import { BackupWorld, hasTools, tool } from "./backup-world.ts";

const ajv = new Ajv2020({ strictTypes: false });
addFormats(ajv);
const isVerification = ajv.compile(verificationSchema);
let world: BackupWorld;
let backup: BackupManifest;
const limit = 60_000;
/** What the user of a scratch server needs, and no more; docs/users-and-secrets.md names the same. */
const verifierRoles = ["restore", "readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
const verifierUri = () => world.other.ready.uri.replace(/\/\/[^@]*@/, "//verifier:verifier-password@");
const mark = () => world.otherClient.db("roundtrip_verification").collection<{ _id: string }>("owner");

beforeAll(async () => {
  if (!hasTools) return;
  world = await BackupWorld.start();
  const shop = world.client.db("shop");
  await shop
    .collection("orders")
    .insertMany(Array.from({ length: 300 }, (_, number) => ({ number, text: "x".repeat(200) })));
  await shop.collection("orders").createIndex({ number: 1 }, { unique: true, name: "by_number" });
  await shop.createCollection("log", { capped: true, size: 100_000 });
  await shop.createCollection("recent", {
    viewOn: "orders",
    pipeline: [{ $match: { number: { $gt: 290 } } }],
  });
  await world.client.db("admin").collection("settings").insertOne({ of: "a team that keeps them in admin" });
  await world.otherClient
    .db("admin")
    .command({ createUser: "verifier", pwd: "verifier-password", roles: verifierRoles });
  backup = await world.backUp();
}, limit);
afterAll(() => world?.[Symbol.asyncDispose]());

/** What a test damaged is as it was. */
const mending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const mend of mending.splice(0)) await mend();
});

async function keepObject(key: string): Promise<Uint8Array> {
  const { body } = (await world.store.get(key))!;
  mending.push(() => world.store.put(key, body));
  return body.slice();
}

interface Outcome {
  /** The verification that this request got; none where it was refused. */
  readonly verification: Verification | undefined;
  readonly failure: RoundtripError | undefined;
  level(level: Level): Verification["levels"][number];
}

interface Asked {
  readonly backups?: BackupSettings;
  readonly backupId?: string;
  /** Program in mongorestore's place. */
  readonly mongorestore?: string;
}

async function ask(request: string, levels: readonly Level[], backupId?: string): Promise<void> {
  const asked: VerificationRequest = { version: 1, request, levels, ...(backupId ? { backupId } : {}) };
  await writeJson(world.store, requestKey("verify-backup"), asked);
}

/** A run of the service in this process: many of them cost no start of a program each. */
async function run({ backups = { scratchSecret: "scratch" }, mongorestore }: Asked = {}): Promise<unknown> {
  using own = new ServiceWorld({
    store: world.store,
    clock: systemClock,
    environment: { ...world.environment, backups },
    secrets: { mongodb: { uri: world.mongodb.ready.uri }, scratch: { uri: verifierUri() } },
  });
  const { service } = own;
  await using databases = createDatabases(service.environment, service.secrets, "test");
  const executable = mongorestore ?? tool("mongorestore");
  const directory = join(service.stateDirectory, "private");
  return await runVerifyBackup({ service, databases, executable, directory }).catch(
    (error: unknown) => error,
  );
}

async function verify(levels: readonly Level[], asked: Asked = {}): Promise<Outcome> {
  const request = crypto.randomUUID();
  await ask(request, levels, asked.backupId);
  const failure = await run(asked);
  if (failure !== undefined && !(failure instanceof RoundtripError)) throw failure;
  const found = (await readJson<Verification>(world.store, latestVerificationKey))?.value;
  const verification = found?.request === request ? found : undefined;
  if (verification) expect([isVerification(verification), isVerification.errors]).toEqual([true, null]);
  return {
    failure,
    verification,
    level: (level) => verification!.levels.find((one) => one.level === level)!,
  };
}

/** As systemd would run it: the exit code and the last word of the process. */
function verifyAsProcess(): Promise<{ code: number; stderr: string }> {
  return world.verb("verify-backup").ended;
}

const databasesOnScratch = async () =>
  (await world.otherClient.db("admin").admin().listDatabases()).databases
    .map(({ name }) => name)
    .filter((name) => !["admin", "config", "local"].includes(name));

describe.skipIf(!hasTools)("a backup that is whole", () => {
  test(
    "is proven by all levels; users of the scratch server stay, everything restored is gone; newer writes are said",
    async () => {
      await world.client.db("shop").collection("orders").insertOne({ number: 1000 });
      await world.otherClient.db("admin").command({ createUser: "keeper", pwd: "p", roles: [] });
      const outcome = await verify([1, 2, 3]);
      expect(outcome.failure).toBeUndefined();
      expect(outcome.verification).toMatchObject({ verdict: "PROVEN", backupId: backup.id });
      expect(outcome.level(1).findings).toEqual([
        `${backup.archive.bytes} bytes, sha256 ${backup.archive.sha256}`,
      ]);
      expect(outcome.level(2).findings[0]).toMatch(
        /^\d+ collections with \d+ documents, \d+ entries of the oplog/,
      );
      expect(outcome.level(3).findings.join("\n")).toContain("content are those of the backup");
      expect(outcome.level(3).findings.join("\n")).toContain("shop.orders 300 then, 301 now");
      expect(await databasesOnScratch()).toEqual([]);
      expect(await world.otherClient.db("admin").listCollections({ name: "settings" }).toArray()).toEqual([]);
      const { users } = await world.otherClient.db("admin").command({ usersInfo: "keeper" });
      expect(users).toHaveLength(1);
      const dumps = (await readJson<Verification>(world.store, backupKeys(backup.id).verification))?.value;
      expect(dumps).toEqual(outcome.verification!);
      expect((await readJson<BackupRun>(world.store, runKey("verification")))?.value).toMatchObject({
        state: "finished",
        backupId: backup.id,
      });
      expect((await readJson<BackupRun>(world.store, runKey("restore-test")))?.value).toMatchObject({
        state: "finished",
        backupId: backup.id,
      });
      expect(await world.store.head(requestKey("verify-backup"))).toBeUndefined();
    },
    limit,
  );

  test(
    "without a request it is left alone until it is due, then verified once",
    async () => {
      const { verification } = backupKeys(backup.id);
      await world.store.delete([verification]);
      expect(await run()).toBeUndefined();
      expect(await world.store.head(verification)).toBeUndefined();
      const backups = { scratchSecret: "scratch", verifyAfterMinutes: 0 };
      expect(await run({ backups })).toBeUndefined();
      const first = (await readJson<Verification>(world.store, verification))?.value;
      expect(first).toMatchObject({ verdict: "PROVEN", levels: [{ level: 1 }, { level: 2 }, { level: 3 }] });
      expect(await run({ backups })).toBeUndefined();
      expect((await readJson<Verification>(world.store, verification))?.value).toEqual(first!);
    },
    limit,
  );

  test(
    "a verification killed while it restores is done anew by the next one, which empties what it left",
    async () => {
      await ask("killed", [3]);
      const first = world.verb("verify-backup");
      await waitFor("the mark", async () => (await mark().findOne({ _id: "verification" })) !== null);
      await first.kill();
      await world.otherClient.db("shop").collection("half").insertOne({ restored: "half" });
      const { code, stderr } = await verifyAsProcess();
      expect([stderr, code]).toEqual(["", 0]);
      expect(await databasesOnScratch()).toEqual([]);
    },
    limit,
  );
});

/** mongodump's archive of one collection and an oplog, as a dump of a busy server may come out. */
function archiveOf(
  metadata: string,
  documents: readonly Uint8Array[],
  entries: readonly Uint8Array[],
): Uint8Array {
  const terminator = Uint8Array.of(255, 255, 255, 255);
  const names = [
    { db: "shop", collection: "seats" },
    { db: "", collection: "oplog" },
  ];
  const blocks = [documents, entries].flatMap((all, at) => {
    const crc = new Crc64();
    for (const one of all) crc.add(one);
    const end = { ...names[at], EOF: true, CRC: Long.fromBigInt(crc.value()) };
    const begin = { ...names[at], EOF: false, CRC: Long.ZERO };
    return [serialize(begin), ...all, terminator, serialize(end), terminator];
  });
  return Buffer.concat([
    Uint8Array.of(0x6d, 0xe2, 0x99, 0x81),
    serialize({
      concurrent_collections: 4,
      version: "0.1",
      server_version: "7.0.14",
      tool_version: "100.9.5",
    }),
    serialize({ ...names[0], metadata, size: 0, type: "collection" }),
    serialize({ ...names[1], metadata: "", size: 0, type: "" }),
    terminator,
    ...blocks,
  ]);
}

test.skipIf(!hasTools)(
  "a dump in which a unique index doesn't hold, because it was written to meanwhile, is proven: its oplog makes it of one moment",
  async () => {
    const seats = world.client.db("shop").collection<{ _id: string; seat: number }>("seats");
    await seats.createIndex({ seat: 1 }, { unique: true, name: "seat" });
    await seats.insertMany([
      { _id: "a", seat: 1 },
      { _id: "b", seat: 2 },
    ]);
    await seats.updateOne({ _id: "a" }, { $set: { seat: 3 } });
    await seats.updateOne({ _id: "b" }, { $set: { seat: 1 } });
    const filter = { ns: "shop.seats", op: { $in: ["i", "u"] } };
    await using scan = new RawScan(world.client, { database: "local", collection: "oplog.rs", filter });
    const written = await scan.next();
    const metadata = JSON.stringify({
      indexes: [
        { v: { $numberInt: "2" }, key: { _id: { $numberInt: "1" } }, name: "_id_" },
        { v: { $numberInt: "2" }, key: { seat: { $numberInt: "1" } }, name: "seat", unique: true },
      ],
      collectionName: "seats",
      type: "collection",
    });
    // "a" was read before both updates, "b" behind them, and "a" once more, as if deleted and inserted again.
    const documents = [
      serialize({ _id: "a", seat: 1 }),
      serialize({ _id: "b", seat: 1 }),
      serialize({ _id: "a", seat: 3 }),
    ];
    const archive = archiveOf(metadata, documents, written.slice(-3));
    const id = "2026-01-01T00-00-00Z";
    const reader = new ArchiveReader("archive under test");
    reader.push(archive);
    const { collections, oplog } = reader.end();
    const key = backupKeys(id).archive("zstd");
    const body = Bun.zstdCompressSync(archive);
    await world.store.put(key, body);
    const sha256 = new Bun.CryptoHasher("sha256").update(body).digest("hex");
    const manifest = {
      ...backup,
      id,
      collections,
      oplog,
      archive: { key, compression: "zstd", bytes: body.length, sha256 },
    };
    await writeJson(world.store, backupKeys(id).manifest, manifest);
    mending.push(
      () => world.store.delete([key, backupKeys(id).manifest]),
      () => seats.drop(),
    );
    const { failure, level } = await verify([1, 2, 3], { backupId: id });
    expect(failure?.message).toBeUndefined();
    expect(level(3).findings[0]).toContain(
      "1 collections with 3 documents and 3 entries of the oplog restored",
    );
    expect(level(3).findings[1]).toStartWith("shop.seats: 1 documents are twice in the dump");
  },
  limit,
);

describe.skipIf(!hasTools)("a backup that is not whole", () => {
  const { archive: key } = { archive: () => backup.archive.key };

  test(
    "a flipped byte in the bucket is found by its hash and by its content, and nothing is restored",
    async () => {
      const body = await keepObject(key());
      body[body.length >> 1]! ^= 4;
      await world.store.put(key(), body);
      const { failure, verification, level } = await verify([1, 2, 3]);
      expect(failure).toMatchObject({ kind: "differs", what: `verify backup ${backup.id}` });
      expect(failure?.got).toStartWith("level 1 DIFFERS: ");
      expect(verification?.verdict).toBe("DIFFERS");
      expect(level(1)).toMatchObject({ verdict: "DIFFERS" });
      expect(level(1).findings[0]).toContain(`expected sha256 ${backup.archive.sha256}, got `);
      expect(level(2)).toMatchObject({ verdict: "DIFFERS" });
      expect(level(3)).toMatchObject({
        verdict: "UNKNOWN",
        findings: ["not tried: the archive is not what was dumped"],
      });
      expect((await readJson<BackupRun>(world.store, runKey("restore-test")))?.value.state).toBe("failed");
    },
    limit,
  );

  test(
    "an archive cut short, and one that is gone",
    async () => {
      const body = await keepObject(key());
      await world.store.put(key(), body.subarray(0, body.length - 100));
      const short = await verify([1, 2]);
      expect(short.failure?.kind).toBe("differs");
      expect(short.level(1).findings[0]).toContain(`expected ${body.length} bytes, got ${body.length - 100}`);
      expect(short.level(2).findings[0]).toContain("can't be decompressed");
      await world.store.delete([key()]);
      const gone = await verify([1, 2, 3]);
      expect(gone.failure?.kind).toBe("differs");
      expect(gone.level(1).findings).toEqual([`${key()}: expected ${body.length} bytes, got no such object`]);
      expect(gone.level(3).verdict).toBe("UNKNOWN");
    },
    limit,
  );

  test(
    "an archive that is replaced while it is read, and a bucket that does not answer",
    async () => {
      const { get } = world.store;
      mending.push(async () => {
        world.store.get = get;
      });
      world.store.get = async (name, options) => {
        const found = await get.call(world.store, name, options);
        return found && options?.range ? { ...found, etag: "another" } : found;
      };
      const replaced = await verify([1, 2]);
      expect(replaced.failure?.kind).toBe("differs");
      expect(replaced.level(1).findings[0]).toContain("got another one, another");
      const away = { what: "get", expected: "an answer", got: "none", wayOut: "wait" };
      world.store.get = async (name, options) => {
        if (options?.range) throw new StoreError("unavailable", away);
        return get.call(world.store, name, options);
      };
      const none = await verify([1, 2]);
      expect(none.failure?.kind).toBe("unavailable");
      expect(none.verification).toBeUndefined();
      // Another try can mend it: it stays asked for.
      expect(await world.store.head(requestKey("verify-backup"))).toBeDefined();
      world.store.get = async (name, options) => {
        if (options?.range) throw new TypeError("nobody foresaw this");
        return get.call(world.store, name, options);
      };
      const { failure } = await verify([1, 2]);
      expect(failure).toMatchObject({ kind: "unknown", got: "TypeError: nobody foresaw this" });
      expect(await world.store.head(requestKey("verify-backup"))).toBeUndefined();
    },
    limit,
  );

  test(
    "a manifest that counts otherwise is found by level 2, one that knows another index by level 3",
    async () => {
      await keepObject(backupKeys(backup.id).manifest);
      const changed = (name: string, change: object): BackupManifest => ({
        ...backup,
        collections: backup.collections.map((one) => (one.name === name ? { ...one, ...change } : one)),
      });
      await writeJson(world.store, backupKeys(backup.id).manifest, changed("orders", { documents: 299 }));
      const counts = await verify([2]);
      expect(counts.failure?.kind).toBe("differs");
      expect(counts.level(2).findings).toEqual(["shop.orders: expected 299 documents, got 300"]);
      const orders = backup.collections.find(({ name }) => name === "orders")!;
      const metadata = orders.metadata.replaceAll("by_number", "by_other");
      await writeJson(world.store, backupKeys(backup.id).manifest, changed("orders", { metadata }));
      const indexes = await verify([3]);
      expect(indexes.failure?.kind).toBe("differs");
      expect(indexes.level(3).findings.slice(0, 2)).toEqual([
        expect.stringMatching(/^shop.orders: index by_number: expected none, got \{.*"number":1.*\}$/),
        expect.stringMatching(/^shop.orders: index by_other: expected \{.*"unique":true.*\}, got none$/),
      ]);
    },
    limit,
  );

  test(
    "a restore that loses what it was given is found, whatever mongorestore says",
    async () => {
      const lossy = join(temporaryFolder("lossy"), "mongorestore");
      const real = tool("mongorestore");
      writeFileSync(lossy, `#!/bin/sh\nexec ${real} "$@" --nsExclude=shop.orders\n`, { mode: 0o755 });
      const { failure, level } = await verify([3], { mongorestore: lossy });
      expect(failure?.kind).toBe("differs");
      expect(level(3).findings[0]).toBe("shop.orders: missing on the scratch server");
    },
    limit,
  );

  test(
    "a backup that does not exist is named",
    async () => {
      const { failure } = await verify([1], { backupId: "2020-01-01T00-00-00Z" });
      expect(failure?.kind).toBe("configuration");
      expect(failure?.message).toContain("backups/dumps/2020-01-01T00-00-00Z/manifest.json");
      expect(await world.store.head(requestKey("verify-backup"))).toBeUndefined();
    },
    limit,
  );
});

describe.skipIf(!hasTools)(
  "a scratch server that can't be used is UNKNOWN, never success, and stays as it is",
  () => {
    async function refused(backups?: BackupSettings): Promise<string> {
      const { failure, verification, level } = await verify([1, 3], backups ? { backups } : {});
      expect(failure?.kind).toBe("unknown");
      expect(verification?.verdict).toBe("UNKNOWN");
      expect(level(1).verdict).toBe("PROVEN");
      return level(3).findings.join("\n");
    }

    test(
      "none is configured",
      async () => {
        expect(await refused({})).toContain(
          "Way out: set backup_scratch_secret_name in terraform/environments/test.tfvars",
        );
      },
      limit,
    );

    test(
      "it is the server that was backed up",
      async () => {
        const found = await refused({ scratchSecret: "mongodb" });
        expect(found).toContain("expected another server than the one that was backed up, got replica set ");
        expect(await world.client.db("shop").collection("orders").countDocuments()).toBeGreaterThanOrEqual(
          300,
        );
      },
      limit,
    );

    test(
      "somebody's data is on it",
      async () => {
        await world.otherClient.db("private").collection("notes").insertOne({ dear: "diary" });
        mending.push(() => world.otherClient.db("private").dropDatabase());
        expect(await refused()).toContain(
          "expected an empty server, or what an earlier verification of this environment left, got private",
        );
        expect(await world.otherClient.db("private").collection("notes").countDocuments()).toBe(1);
      },
      limit,
    );

    test(
      "another environment is verifying on it",
      async () => {
        const other = { _id: "verification", environment: "other", startedAt: "2026-11-21T00:00:00.000Z" };
        await mark().insertOne(other as never);
        mending.push(() => world.otherClient.db("roundtrip_verification").dropDatabase());
        expect(await refused()).toContain("got a verification of environment other, begun 2026-11-21");
      },
      limit,
    );

    test(
      "a request in a failback is refused; a timer's run does nothing",
      async () => {
        const key = "failback/current.json";
        await writeJson(world.store, key, {
          version: 1,
          environment: "test",
          phase: "capturing",
          failbackId: "f",
        });
        mending.push(() => world.store.delete([key]));
        expect((await verify([1])).failure?.kind).toBe("refused");
        await world.store.delete([backupKeys(backup.id).verification]);
        expect(await run({ backups: { scratchSecret: "scratch", verifyAfterMinutes: 0 } })).toBeUndefined();
        expect(await world.store.head(backupKeys(backup.id).verification)).toBeUndefined();
      },
      limit,
    );
  },
);
