import { describe, expect, test } from "bun:test";
import { readLog } from "../../adapters/log/reader.ts";
import type { LogEvent } from "../../adapters/log/window.ts";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import type { ChangeBatch, ResumePoint } from "../../core/changes/source.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { testCapture } from "../../tests/support/capture-context.ts";
import { changeEvent } from "../../tests/support/change-events.ts";
import { FakeChangeSource } from "../../tests/support/fake-change-source.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { replicate } from "./run.ts";

async function eventsOf(store: ObjectStore): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const window of readLog({ store, failbackId: "fb-1" })) events.push(...window.events);
  return events;
}

async function manifestsOf(store: ObjectStore): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for await (const { key } of store.list("failback/fb-1/manifests/")) {
    manifests.push(JSON.parse(new TextDecoder().decode((await store.get(key))!.body)));
  }
  return manifests;
}

const beat = async () => {};

describe("capture on a store in memory", () => {
  test("every event is in the log once, in order, byte for byte, and a restart goes on after the last", async () => {
    const store = new MemoryObjectStore();
    const events = Array.from({ length: 1000 }, (_, index) =>
      changeEvent(index + 1, { collection: index % 3 === 0 ? "customers" : "orders" }),
    );
    const source = new FakeChangeSource(events.slice(0, 600), { batchEvents: 70 });
    using first = await testCapture(store);
    const running = replicate(first.context, first.failback, { source, beat });
    await waitFor("600 events", async () => (await manifestsOf(store)).at(-1)?.lastSequence === 600);
    first.stop();
    await running;
    source.push(...events.slice(600));
    using second = await testCapture(store, { run: "run-2" });
    const again = replicate(second.context, second.failback, { source, beat });
    await waitFor("1000 events", async () => (await manifestsOf(store)).at(-1)?.lastSequence === 1000);
    second.stop();
    await again;
    const log = await eventsOf(store);
    expect(log.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(Buffer.compare(Buffer.concat(log.map(({ raw }) => raw)), Buffer.concat(events))).toBe(0);
    expect(source.given).toBe(1000);
  });

  test("SIGTERM commits what is in hand before the capture returns", async () => {
    const store = new MemoryObjectStore();
    using capture = await testCapture(store, { settings: { maxDelayMs: 60_000 } });
    const source = new FakeChangeSource([changeEvent(1), changeEvent(2)]);
    const running = replicate(capture.context, capture.failback, { source, beat });
    await waitFor("both were read", () => source.given === 2);
    await Bun.sleep(20);
    expect(await manifestsOf(store)).toEqual([]);
    capture.stop();
    await running;
    expect((await manifestsOf(store)).at(-1)?.lastSequence).toBe(2);
  });

  test("zstd: the stored bytes are hashed, and the log reads back the same", async () => {
    const store = new MemoryObjectStore();
    using capture = await testCapture(store, { settings: { compression: "zstd" } });
    const events = Array.from({ length: 50 }, (_, index) => changeEvent(index + 1));
    const source = new FakeChangeSource(events);
    const running = replicate(capture.context, capture.failback, { source, beat });
    await waitFor("50 events", async () => (await manifestsOf(store)).at(-1)?.lastSequence === 50);
    capture.stop();
    await running;
    const [object] = (await manifestsOf(store)).flatMap(({ objects }) => objects);
    expect(object!.bytes).toBeLessThan(object!.rawBytes!);
    expect((await store.get(object!.key))!.body.length).toBe(object!.bytes);
    expect((await eventsOf(store)).map(({ raw }) => Buffer.from(raw))).toEqual(
      events.map((raw) => Buffer.from(raw)),
    );
  });

  test("without a manifest and without a start point it refuses, naming the object, and never starts at now", async () => {
    const store = new MemoryObjectStore();
    using capture = await testCapture(store);
    await store.delete(["failback/fb-1/start-point.json"]);
    const source = new FakeChangeSource([changeEvent(1)]);
    const error = await replicate(capture.context, capture.failback, { source, beat }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(RoundtripError);
    expect(error.kind).toBe("configuration");
    expect(error.message).toContain("start-point.json");
    expect(source.opened).toEqual([]);
  });

  test("an object left by a run that died before its manifest stays, and nothing of it is read", async () => {
    const store = new MemoryObjectStore();
    const orphan = `failback/fb-1/replication/shop/orders/20231114T221320Z-000000000001_${"0".repeat(23)}1.bson`;
    await store.put(orphan, changeEvent(1, { fullDocument: { other: true } }));
    using capture = await testCapture(store);
    const source = new FakeChangeSource([changeEvent(1)]);
    const running = replicate(capture.context, capture.failback, { source, beat });
    await waitFor("the event", async () => (await manifestsOf(store)).at(-1)?.lastSequence === 1);
    capture.stop();
    await running;
    const [object] = (await manifestsOf(store)).flatMap(({ objects }) => objects);
    expect(object!.key).toContain("-run-1_");
    expect((await eventsOf(store)).map(({ raw }) => Buffer.from(raw))).toEqual([Buffer.from(changeEvent(1))]);
    expect(Buffer.from((await store.get(orphan))!.body)).toEqual(
      Buffer.from(changeEvent(1, { fullDocument: { other: true } })),
    );
  });

  test("fenced before its first manifest, it reads anew only when the first reading has ended", async () => {
    const store = new MemoryObjectStore();
    const source = new SlowToEnd([changeEvent(1)]);
    using rival = await testCapture(store, { run: "run-rival" });
    using capture = await testCapture(store, { run: "run-late" });
    const put = store.put.bind(capture.context.store);
    let outrun = false;
    capture.context.store.put = async (key, body, options) => {
      if (key.endsWith("manifests/0000000001.json") && !outrun) {
        outrun = true;
        const running = replicate(rival.context, rival.failback, {
          source: new FakeChangeSource([changeEvent(1)]),
          beat,
        });
        await waitFor("the rival's manifest", async () => (await manifestsOf(store)).length > 0);
        rival.stop();
        await running;
      }
      return put(key, body, options);
    };
    const running = replicate(capture.context, capture.failback, { source, beat });
    await waitFor("the second reading", () => source.opened.length === 2);
    source.push(changeEvent(2));
    await waitFor("both events", async () => (await manifestsOf(store)).at(-1)?.lastSequence === 2);
    capture.stop();
    await running;
    expect(source.openMost).toBe(1);
    expect((await eventsOf(store)).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });
});

/** As a change stream does, it closes its connection when a reading ends, which takes a moment. */
class SlowToEnd extends FakeChangeSource {
  openMost = 0;
  private open = 0;

  override async *read(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    this.openMost = Math.max(this.openMost, ++this.open);
    try {
      yield* super.read(from, signal);
    } finally {
      await Bun.sleep(50);
      this.open--;
    }
  }
}
