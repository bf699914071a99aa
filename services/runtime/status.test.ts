import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../adapters/clock.ts";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { StatusReporter } from "./status.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function reporter(store: MemoryObjectStore, options: { intervalMs?: number; stateDirectory?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-status-"));
  folders.push(folder);
  const warnings: string[] = [];
  let alive = 0;
  const stateDirectory = options.stateDirectory ?? folder;
  const status = new StatusReporter({
    service: "replication",
    host: "host-1",
    run: "run-1",
    stateDirectory,
    store,
    clock: systemClock,
    logger: { debug() {}, info() {}, warn: (_fields, message) => warnings.push(message), error() {} },
    notifier: { ready() {}, status() {}, stopping() {}, alive: () => void alive++ },
    intervalMs: options.intervalMs ?? 2000,
  });
  const onHost = (): ServiceStatus =>
    JSON.parse(readFileSync(join(stateDirectory, "status/replication.json"), "utf8"));
  return { status, warnings, onHost, aliveCount: () => alive };
}

async function inBucket(store: MemoryObjectStore): Promise<ServiceStatus | undefined> {
  const found = await store.get("failback/fb-1/status/replication.json");
  return found && JSON.parse(new TextDecoder().decode(found.body));
}

/** Counts and can refuse puts. */
class CountingStore extends MemoryObjectStore {
  puts = 0;
  refuse = false;

  override async put(...given: Parameters<MemoryObjectStore["put"]>) {
    this.puts++;
    if (this.refuse) throw new Error("the bucket denies");
    return super.put(...given);
  }
}

test("a new state is written at once, to the bucket and the host; numbers of the same state wait", async () => {
  const store = new CountingStore();
  const { status, onHost } = reporter(store);
  status.bind("fb-1");
  status.update({ state: "running", detail: { manifest: 1 } });
  await waitFor("running in the bucket", async () => (await inBucket(store))?.state === "running");
  const puts = store.puts;
  for (let manifest = 2; manifest < 100; manifest++) status.update({ detail: { manifest } });
  await Bun.sleep(50);
  expect(store.puts).toBe(puts);
  expect(onHost().state).toBe("running");
  await status.end("finished", 0);
  expect(await inBucket(store)).toMatchObject({ state: "finished", exitCode: 0, detail: { manifest: 99 } });
});

test("numbers that waited are written when their time has come, without another update", async () => {
  const store = new CountingStore();
  const { status } = reporter(store, { intervalMs: 30 });
  status.bind("fb-1");
  status.update({ state: "running" });
  status.update({ detail: { lagMs: 7 } });
  await waitFor("the lag in the bucket", async () => (await inBucket(store))?.detail?.lagMs === 7);
});

test("a status that can't be written is a warning and nothing more, and the last word says why it failed", async () => {
  const store = new CountingStore();
  const { status, warnings } = reporter(store, { stateDirectory: "/proc/nowhere" });
  store.refuse = true;
  status.bind("fb-1");
  status.update({ state: "running" });
  await waitFor("both warnings", () => warnings.length >= 2);
  store.refuse = false;
  const failure = {
    kind: "fenced",
    what: "commit",
    expected: "one",
    got: "two",
    wayOut: "stop one",
  } as const;
  await status.end("failed", 12, new RoundtripError(failure));
  expect(await inBucket(store)).toMatchObject({
    state: "failed",
    exitCode: 12,
    error: { what: "commit", expected: "one", got: "two", wayOut: "stop one" },
  });
});

test("nothing goes to the bucket before a failback is open, and every update pings the watchdog", async () => {
  const store = new CountingStore();
  const { status, onHost, aliveCount } = reporter(store);
  status.update({ state: "waiting" });
  status.update({ detail: { tries: 1 } });
  await waitFor("the host's file", () => {
    try {
      return onHost().state === "waiting";
    } catch {
      return false;
    }
  });
  expect(store.puts).toBe(0);
  expect(aliveCount()).toBe(2);
});

test("a service that belongs to no failback writes where it is told, and names none", async () => {
  const store = new CountingStore();
  const { status } = reporter(store);
  status.bindTo("backups/status/replication.json");
  await status.end("finished", 0);
  const found = await store.get("backups/status/replication.json");
  expect(JSON.parse(new TextDecoder().decode(found!.body))).toMatchObject({
    service: "replication",
    failbackId: "",
    state: "finished",
  });
  expect(await inBucket(store)).toBeUndefined();
});
