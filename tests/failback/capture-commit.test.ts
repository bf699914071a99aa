/** invariants.md 3, 7, 8, 29: where capture begins, what commits, names, and taking over from S3 alone. */
import { expect, test } from "bun:test";
import { ObjectId } from "bson";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import { replicate } from "../../services/replication/run.ts";
import { testCapture } from "../support/capture-context.ts";
import { changeEvent } from "../support/change-events.ts";
import { FakeChangeSource } from "../support/fake-change-source.ts";
import { InterruptedStore, Killed } from "../support/interrupted-store.ts";
import { buffers, eventsOf, lastSequence, manifestsOf } from "../support/log-content.ts";
import { waitFor } from "../support/wait-for.ts";

const beat = async () => {};
const events = Array.from({ length: 30 }, (_, index) =>
  changeEvent(index + 1, { collection: ["orders", "customers", "elsewhere"][index % 3]! }),
);

test("failback 3: a capture that dies before its first event starts at the start point again, never at now", async () => {
  const store = new MemoryObjectStore();
  const source = new FakeChangeSource([]);
  for (const run of ["run-1", "run-2"]) {
    using capture = await testCapture(store, { run });
    const running = replicate(capture.context, capture.failback, { source, beat });
    await waitFor("the stream is open", () => source.opened.length > (run === "run-1" ? 0 : 1));
    capture.stop();
    await running;
    expect(await manifestsOf(store)).toEqual([]);
  }
  const startPoint = { operationTime: { t: 1_700_000_000, i: 1 } };
  expect(source.opened).toEqual([startPoint, startPoint]);
});

test("failback 7: every object is durable before its manifest, and manifest n before n + 1", async () => {
  const bucket = new MemoryObjectStore();
  const store = new InterruptedStore(bucket);
  using capture = await testCapture(store, { settings: { maxBytesPerFlush: 2000 } });
  const running = replicate(capture.context, capture.failback, {
    source: new FakeChangeSource(events),
    beat,
  });
  await waitFor("all", async () => (await lastSequence(bucket)) === events.length);
  capture.stop();
  await running;
  const puts = store.requests.filter(({ operation }) => operation === "put").map(({ key }) => key);
  const manifests = await manifestsOf(bucket);
  expect(manifests.length).toBeGreaterThan(2);
  for (const manifest of manifests) {
    const committed = puts.indexOf(
      `failback/fb-1/manifests/${String(manifest.number).padStart(10, "0")}.json`,
    );
    for (const { key } of manifest.objects) expect(puts.indexOf(key)).toBeLessThan(committed);
    const before = `failback/fb-1/manifests/${String(manifest.number - 1).padStart(10, "0")}.json`;
    if (manifest.number > 1) expect(puts.indexOf(before)).toBeLessThan(committed);
  }
});

test("failback 7: killed before and after each request, the next run's log has every event once and in order", async () => {
  const settings = { maxBytesPerFlush: 1500, maxDelayMs: 1 };
  const requests = await countRequests(settings);
  expect(requests).toBeGreaterThan(15);
  for (let at = 1; at <= requests; at++) {
    for (const when of ["before", "after"] as const) {
      const bucket = new MemoryObjectStore();
      const store = new InterruptedStore(bucket, { at, when });
      using killed = await testCapture(bucket, { settings });
      const context = { ...killed.context, store };
      const running = replicate(context, killed.failback, { source: new FakeChangeSource(events), beat });
      const ended = running.then(
        () => "ended",
        (error) => error,
      );
      await waitFor(
        `request ${at}`,
        async () => store.isDead || (await lastSequence(bucket)) === events.length,
      );
      killed.stop();
      const outcome = await ended;
      if (store.isDead) expect(outcome === "ended" || outcome instanceof Killed).toBe(true);
      using again = await testCapture(bucket, { run: "run-2", settings });
      const second = replicate(again.context, again.failback, { source: new FakeChangeSource(events), beat });
      await waitFor("all events", async () => (await lastSequence(bucket)) === events.length);
      again.stop();
      await second;
      expect(buffers((await eventsOf(bucket)).map(({ raw }) => raw))).toEqual(buffers(events));
    }
  }
}, 60_000);

async function countRequests(settings: { maxBytesPerFlush: number; maxDelayMs: number }): Promise<number> {
  const bucket = new MemoryObjectStore();
  const store = new InterruptedStore(bucket);
  using capture = await testCapture(bucket, { settings });
  const context = { ...capture.context, store };
  const running = replicate(context, capture.failback, { source: new FakeChangeSource(events), beat });
  await waitFor("all", async () => (await lastSequence(bucket)) === events.length);
  capture.stop();
  await running;
  return store.requests.length;
}

test("failback 7: two captures at once: one goes on, the other is fenced, and the log has no repeat", async () => {
  const store = new MemoryObjectStore();
  const sources = [new FakeChangeSource([]), new FakeChangeSource([])];
  using first = await testCapture(store, { run: "run-1" });
  using second = await testCapture(store, { run: "run-2" });
  const outcomes: unknown[] = [];
  const runs = [first, second].map(({ context, failback }, index) =>
    replicate(context, failback, { source: sources[index]!, beat }).then(
      () => outcomes.push("ended"),
      (error) => outcomes.push(error),
    ),
  );
  let number = 0;
  await waitFor("one of them is fenced", async () => {
    number++;
    for (const source of sources) source.push(changeEvent(number));
    await Bun.sleep(10);
    return outcomes.length > 0;
  });
  const fenced = outcomes[0] as RoundtripError;
  expect(fenced).toBeInstanceOf(RoundtripError);
  expect([fenced.kind, fenced.exitCode]).toEqual(["fenced", 12]);
  expect(fenced.got).toMatch(/run run-[12]/);
  const until = number;
  await waitFor("the other goes on to the end", async () => (await lastSequence(store)) === until);
  first.stop();
  second.stop();
  await Promise.all(runs);
  const log = await eventsOf(store);
  const written = Array.from({ length: until }, (_, index) => changeEvent(index + 1));
  expect(buffers(log.map(({ raw }) => raw))).toEqual(buffers(written));
  expect(outcomes.filter((outcome) => outcome === "ended")).toHaveLength(1);
});

test("failback 7: the last request of a run that died may still win; the run after it goes on behind it", async () => {
  const store = new MemoryObjectStore();
  const source = new FakeChangeSource([changeEvent(1), changeEvent(2)]);
  // Both runs see an empty log, and the first one's manifest arrives after the second one has looked.
  const looked = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const held: MemoryObjectStore = Object.assign(Object.create(store), {
    put: async (...[key, body, options]: Parameters<MemoryObjectStore["put"]>) => {
      if (key.includes("/manifests/")) {
        looked.resolve();
        await arrived.promise;
      }
      return store.put(key, body, options);
    },
  });
  using first = await testCapture(store, { run: "run-1" });
  using second = await testCapture(store, { run: "run-2" });
  const late = replicate({ ...second.context, store: held }, second.failback, { source, beat });
  await looked.promise;
  const early = replicate(first.context, first.failback, {
    source: new FakeChangeSource([changeEvent(1)]),
    beat,
  });
  await waitFor("the first one's manifest", async () => (await lastSequence(store)) === 1);
  first.stop();
  await early;
  arrived.resolve();
  await waitFor("the second went on", async () => (await lastSequence(store)) === 2);
  second.stop();
  await late;
  expect(buffers((await eventsOf(store)).map(({ raw }) => raw))).toEqual(
    buffers([changeEvent(1), changeEvent(2)]),
  );
});

test("failback 8: with maxEventsPerObject=1 every operation is one object in the seeds' layout", async () => {
  const store = new MemoryObjectStore();
  const id = new ObjectId("65f0c0ffee65f0c0ffee65f0");
  const time = { t: 1_700_000_000, i: 1 };
  const given = [
    changeEvent(1, { id, time }),
    // Again the same document, in the same transaction.
    changeEvent(2, { id, time, operationType: "update" }),
    changeEvent(3, { id: "a/b", time }),
    changeEvent(4, { id: "x".repeat(400), time, collection: "customers" }),
  ];
  using capture = await testCapture(store, { settings: { maxEventsPerObject: 1 } });
  const running = replicate(capture.context, capture.failback, { source: new FakeChangeSource(given), beat });
  await waitFor("all", async () => (await lastSequence(store)) === 4);
  capture.stop();
  await running;
  const keys = (await Array.fromAsync(store.list("failback/fb-1/replication/"))).map(({ key }) =>
    key.slice("failback/fb-1/".length),
  );
  expect(keys).toEqual([
    expect.stringMatching(
      /^replication\/shop\/customers\/20231114T221320Z-000000000004_!sha256\.[0-9a-f]{64}\.bson$/,
    ),
    "replication/shop/orders/20231114T221320Z-000000000001_65f0c0ffee65f0c0ffee65f0.bson",
    "replication/shop/orders/20231114T221320Z-000000000002_65f0c0ffee65f0c0ffee65f0.bson",
    "replication/shop/orders/20231114T221320Z-000000000003_a!2Fb.bson",
  ]);
  const first = await store.get(`failback/fb-1/${keys[1]}`);
  expect(Buffer.from(first!.body)).toEqual(Buffer.from(given[0]!));
});

test("failback 29: another host with an empty disk goes on from S3 alone", async () => {
  const store = new MemoryObjectStore();
  const source = new FakeChangeSource(events.slice(0, 20));
  {
    using lost = await testCapture(store);
    const running = replicate(lost.context, lost.failback, { source, beat });
    await waitFor("20 events", async () => (await lastSequence(store)) === 20);
    lost.stop();
    await running;
  }
  source.push(...events.slice(20));
  // A state directory of its own, and nothing but the manifests to go by: the mirrored token is gone, too.
  await store.delete(["failback/fb-1/data_resume_token.json", "failback/fb-1/status/replication.json"]);
  using other = await testCapture(store, { run: "run-2" });
  const running = replicate({ ...other.context, host: "host-2" }, other.failback, { source, beat });
  await waitFor("30 events", async () => (await lastSequence(store)) === 30);
  other.stop();
  await running;
  expect(buffers((await eventsOf(store)).map(({ raw }) => raw))).toEqual(buffers(events));
  expect(new Set((await manifestsOf(store)).map(({ writer }) => writer.host))).toEqual(
    new Set(["host-1", "host-2"]),
  );
});
