/** From a write's acknowledgement on DocumentDB until it is committed in the log, at a steady rate. */
import { parseArgs } from "node:util";
import { systemClock } from "../adapters/clock.ts";
import { followManifests } from "../adapters/log/manifests.ts";
import { spreadOf } from "./ratio.ts";
import { benchmarkWorld } from "./support/changes.ts";
import { reportLimit } from "./support/limit.ts";
import { orderOf } from "./support/order.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const writeEveryMs = 10;

await using world = await benchmarkWorld();
const medians: number[] = [];
const tails: number[] = [];
for (let round = 0; round < rounds; round++) {
  const delays = (await delaysOnce(`delay-${round}`)).sort((left, right) => left - right);
  medians.push(delays[Math.floor(delays.length * 0.5)]!);
  tails.push(delays[Math.floor(delays.length * 0.99)]!);
  console.error(`capture delay ${round + 1}/${rounds}: p50 ${medians.at(-1)} ms, p99 ${tails.at(-1)} ms`);
}
const work = `${rate} inserts of 1 KB a second for ${seconds} s`;
const value = (figures: readonly number[]) => ({ work, value: spreadOf(figures), unit: "ms" });
reportLimit({ benchmark: "acknowledged until durable, p50", ...value(medians), limit: 500 }, values.json);
reportLimit({ benchmark: "acknowledged until durable, p99", ...value(tails), limit: 1000 }, values.json);

async function delaysOnce(id: string): Promise<number[]> {
  await world.open(id);
  const capture = world.capture({ name: id, settings: { maxDelayMs: 200 } });
  await capture.reads();
  const durableAt: number[] = [];
  const stop = new AbortController();
  const following = follow(id, durableAt, stop.signal);
  const acknowledgedAt = await writeSteadily();
  while (durableAt.length < acknowledgedAt.length) await Bun.sleep(20);
  stop.abort();
  await following;
  await capture.stop();
  await world.client.db("shop").collection("orders").drop();
  // One writer, in order: the n-th insert is the n-th event of its collection.
  return acknowledgedAt.map((at, index) => Math.round(durableAt[index]! - at));
}

/** When each insert was acknowledged. */
async function writeSteadily(): Promise<number[]> {
  const orders = world.client.db("shop").collection<{ _id: number }>("orders");
  const acknowledgedAt: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < seconds * 1000) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * rate) - acknowledgedAt.length;
    if (due > 0) {
      const first = acknowledgedAt.length + 1;
      await orders.insertMany(Array.from({ length: due }, (_, index) => orderOf(first + index)));
      const at = performance.now();
      for (let index = 0; index < due; index++) acknowledgedAt.push(at);
    }
    await Bun.sleep(writeEveryMs);
  }
  return acknowledgedAt;
}

/** When each insert was seen committed: somewhat later than it was. */
async function follow(failbackId: string, durableAt: number[], signal: AbortSignal): Promise<void> {
  for await (const { manifest } of followManifests({
    store: world.store,
    failbackId,
    clock: systemClock,
    pollMs: 10,
    signal,
  })) {
    const at = performance.now();
    for (const object of manifest.objects) {
      if (object.kind !== "scope") continue;
      for (let event = 0; event < object.events; event++) durableAt.push(at);
    }
  }
}
