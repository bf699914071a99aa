/** The whole way as a person goes it: an accident, a preview, the restore to just before it, by the units on the host. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type ClientSession, MongoClient } from "mongodb";
import { newestOplogManifest, readEra } from "../../adapters/backup/oplog-archive.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { waitFor } from "../support/wait-for.ts";
import { hasTools } from "./backup-world.ts";
import { OperationsWorld } from "./operations-world.ts";

setDefaultTimeout(60_000);

let world: OperationsWorld;
let other: DatabaseHandle;
let restored: MongoClient;
let session: ClientSession;

beforeAll(async () => {
  if (!hasTools) return;
  world = await OperationsWorld.start({ scratchSecret: "scratch", oplogFlushSeconds: 1 });
  const dir = world.sandbox.workspace.at("other");
  other = await startDatabase({ dir, name: "other" });
  restored = await new MongoClient(other.ready.uri).connect();
  // What users-and-secrets.md says, and no more.
  const roles = ["restore", "readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor", "hostManager"];
  await restored.db("admin").command({ createUser: "scratch", pwd: "secret", roles });
  const SecretString = JSON.stringify({ uri: other.ready.uri.replace(/\/\/[^@]*@/, "//scratch:secret@") });
  await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: "scratch", SecretString }));
  session = world.client.startSession();
});
afterAll(async () => {
  await session?.endSession();
  await restored?.close();
  await other?.stop();
  await world?.[Symbol.asyncDispose]();
});

interface Report {
  readonly steps: readonly {
    readonly name: string;
    readonly outcome?: { readonly data?: { digest?: string } };
  }[];
}

async function runbook(name: string, inputs: Record<string, string> = {}) {
  const words = Object.entries(inputs).flatMap(([input, value]) => ["--input", `${input}=${value}`]);
  const { code, stdout, stderr } = await world.roundtrip("runbook", name, "--env", "dev", "--json", ...words);
  if (process.env.SHOW) console.log(stderr);
  return { code, stderr, report: (code === 0 ? JSON.parse(stdout) : undefined) as Report | undefined };
}

describe.skipIf(!hasTools)("runbook restore-backup", () => {
  test("brings back what an accident deleted, to the operation before it, from the server beside", async () => {
    const orders = world.client.db("shop").collection<{ _id: number }>("orders");
    expect(await world.systemctl("start", "oplog-archive.service")).toMatchObject({ status: 0 });
    await orders.insertMany([{ _id: 1 }, { _id: 2 }]);
    await world.systemctl("start", "mongodb-backup.service");
    await orders.insertOne({ _id: 3 }, { session });
    const good = session.operationTime!;
    const at = { t: good.getHighBitsUnsigned(), i: good.getLowBitsUnsigned() };
    await orders.deleteMany({});
    await waitFor("the archive to have the accident", async () => {
      const era = (await readEra(world.store))?.value.era;
      const newest = era && (await newestOplogManifest(world.store, era));
      return Boolean(newest && compareTimes(newest.manifest.last, at) > 0);
    });
    const asked = { until: `${at.t}:${at.i}`, drop: "true" };
    const shown = await runbook("restore-backup", asked);
    expect([shown.code, shown.stderr]).toEqual([0, expect.stringContaining("PREVIEW ONLY")]);
    expect(await restored.db("shop").collection("orders").countDocuments()).toBe(0);
    const digest = shown.report!.steps.find(({ name }) => name === "preview")!.outcome!.data!.digest!;
    const done = await runbook("restore-backup", { ...asked, confirm: digest });
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining("restored 127.0.0.1")]);
    const ids = await restored.db("shop").collection<{ _id: number }>("orders").distinct("_id");
    expect(ids).toEqual([1, 2, 3]);
    expect(await orders.countDocuments()).toBe(0);
  });
});
