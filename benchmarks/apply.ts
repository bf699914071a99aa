/** Applying the log against `mongorestore --oplogReplay` of the same changes, on the same server. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, Long, serialize, Timestamp } from "bson";
import { MongoClient } from "mongodb";
import { newestManifest } from "../adapters/log/manifests.ts";
import { MemoryObjectStore } from "../adapters/memory/object-store.ts";
import { Sandbox } from "../sandbox/up/sandbox.ts";
import { replicate } from "../services/replication/run.ts";
import { testCapture } from "../tests/support/capture-context.ts";
import { changeEvent } from "../tests/support/change-events.ts";
import { FakeChangeSource } from "../tests/support/fake-change-source.ts";
import { waitFor } from "../tests/support/wait-for.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";
import { applyCaptured } from "./support/apply-captured.ts";

const { rounds, size, json } = benchmarkArguments(30_000);
/** As many as changes: hardly any two of them meet in one step and become one write. */
const documents = size;
const text = "x".repeat(900);

const tool = [Bun.which("mongorestore"), join(import.meta.dir, "../.tools/bin/mongorestore")].find(
  (path) => path && existsSync(path),
);
if (!tool) {
  console.error("apply: no mongorestore on PATH nor in .tools/bin; `make setup` builds it");
  process.exit(1);
}

await using sandbox = await Sandbox.start({ only: ["database"] });
const uri = sandbox.addresses.mongodb!;
const client = await new MongoClient(uri).connect();
const orders = client.db("shop").collection<{ _id: number }>("orders");
const directory = mkdtempSync(join(tmpdir(), "roundtrip-benchmark-"));
const store = new MemoryObjectStore();
const changes = Array.from({ length: size }, (_, index) => changeAt(index));
await buildLog();
buildOplog();

const result = await measureRatio(
  {
    name: "apply",
    work: `${size} changes of 1 KB on ${documents} documents (60 % updates, 20 % inserts, 20 % deletes)`,
    target: 5,
  },
  { name: "restore", prepare: seed, run: applyOnce },
  { name: "mongorestore --oplogReplay", prepare: seed, run: replayOnce },
  rounds,
);
report(result, json);
await client.close();
rmSync(directory, { recursive: true });

interface Change {
  readonly kind: "insert" | "update" | "delete";
  readonly document: Document & { _id: number };
}

/** Deletes and inserts meet documents of their own, so that both replays are legal from the start. */
function changeAt(index: number): Change {
  const turn = index % 5;
  if (turn === 0) return { kind: "insert", document: { _id: documents + index, index, text } };
  if (turn === 1) return { kind: "delete", document: { _id: documents + index - 1 } };
  return { kind: "update", document: { _id: (index * 7919) % documents, index, text } };
}

async function seed(): Promise<void> {
  await orders.drop().catch(() => {});
  for (let start = 0; start < documents; start += 1000) {
    const count = Math.min(1000, documents - start);
    await orders.insertMany(Array.from({ length: count }, (_, n) => ({ _id: start + n, text })));
  }
}

async function buildLog(): Promise<void> {
  using capture = await testCapture(store, { settings: { maxDelayMs: 200 } });
  const events = changes.map(({ kind, document }, index) =>
    changeEvent(index + 1, { operationType: kind, id: document._id, fullDocument: document }),
  );
  const running = replicate(capture.context, capture.failback, {
    source: new FakeChangeSource(events, { batchEvents: 1000 }),
    beat: async () => {},
  });
  const isCaptured = async () => (await newestManifest(store, "fb-1"))?.manifest.lastSequence === size;
  await waitFor("the log", isCaptured, 120_000);
  capture.stop();
  await running;
}

async function applyOnce(): Promise<void> {
  using capture = await testCapture(store);
  const newest = (await newestManifest(store, capture.failback.id))!;
  await applyCaptured(client, store, capture, newest.manifest);
}

/** The same changes as MongoDB's oplog would have them: updates as whole documents, so that both write the same. */
function buildOplog(): void {
  const entries = changes.map(({ kind, document }, index) => {
    const ts = new Timestamp({ t: 1_700_000_000 + Math.floor(index / 1000), i: (index % 1000) + 1 });
    const common = { ts, t: Long.fromNumber(1), v: 2, ns: "shop.orders", wall: new Date(0) };
    const { _id } = document;
    if (kind === "insert") return serialize({ ...common, op: "i", o: document });
    if (kind === "delete") return serialize({ ...common, op: "d", o: { _id } });
    return serialize({ ...common, op: "u", o: document, o2: { _id } });
  });
  writeFileSync(join(directory, "oplog.bson"), Buffer.concat(entries));
}

async function replayOnce(): Promise<void> {
  const child = Bun.spawn([tool!, `--uri=${uri}`, "--oplogReplay", `--dir=${directory}`], {
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`mongorestore failed: ${said}`);
}
