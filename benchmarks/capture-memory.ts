/**
 * The compiled worker with its default settings on a replayed stream: peak memory, PUTs, and whether a change costs the
 * same at the end as at the beginning. `--stall N`: S3 takes nothing for N seconds on the way (default 5; 0: never).
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { newestManifest } from "../adapters/log/manifests.ts";
import type { CaptureProcess } from "../tests/support/capture-world.ts";
import { spreadOf } from "./ratio.ts";
import { benchmarkWorld, changesReplayed } from "./support/changes.ts";
import { reportLimit } from "./support/limit.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    size: { type: "string", default: "1000000" },
    stall: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const size = Number(values.size);
const stallMs = Number(values.stall) * 1000;
const smaller = size / 5;
const everyMs = 100;
const ticksPerSecond = 100;
const binary = join(import.meta.dir, "../dist/roundtrip-worker");

interface Figures {
  readonly peakMegabytes: number;
  readonly puts: number;
  /** CPU of one change in the last 40 %, over that in the first. */
  readonly costRatio: number;
}

await using world = await benchmarkWorld();
let runs = 0;

const large: Figures[] = [];
const small: Figures[] = [];
const stalled: Figures[] = [];
for (let round = 0; round < rounds; round++) {
  large.push(await captureOnce(size, 0));
  small.push(await captureOnce(smaller, 0));
  if (stallMs > 0) stalled.push(await captureOnce(size, stallMs));
  console.error(
    `capture memory ${round + 1}/${rounds}: ${JSON.stringify([large.at(-1), small.at(-1), stalled.at(-1)])}`,
  );
}

const work = `${size} changes of 1 KB, one collection`;
const peaks = (figures: readonly Figures[]) => figures.map(({ peakMegabytes }) => peakMegabytes);
limit("peak memory of capture", peaks(large), "MB", 400);
if (stallMs > 0) limit(`peak memory with S3 stalled for ${stallMs / 1000} s`, peaks(stalled), "MB", 400);
limit(
  `peak memory against ${smaller} changes`,
  large.map(({ peakMegabytes }, round) => peakMegabytes / small[round]!.peakMegabytes),
  "×",
  1.1,
);
limit(
  "PUTs",
  large.map(({ puts }) => puts),
  "requests",
  150,
);
limit(
  "CPU of a change, last 40 % against first",
  large.map(({ costRatio }) => costRatio),
  "×",
  1.1,
);

function limit(benchmark: string, figures: readonly number[], unit: string, most: number): void {
  reportLimit({ benchmark, work, value: spreadOf(figures), unit, limit: most }, values.json);
}

async function captureOnce(events: number, stall: number): Promise<Figures> {
  await using server = await changesReplayed(events);
  const name = `memory-${++runs}`;
  await world.open(name);
  await world.secret(name, { uri: server.uri });
  const program = existsSync(binary) ? { program: [binary] } : {};
  const capture = world.capture({ name, secret: name, settings: { maxDelayMs: 200 }, ...program });
  try {
    const stalling = stall > 0 ? stallOnTheWay(name, events, stall) : undefined;
    const figures = await watch(capture, name, events);
    await stalling;
    const puts = (await world.journal(name)).filter(({ operation }) => operation === "PutObject").length;
    return { ...figures, puts };
  } finally {
    await capture.stop();
  }
}

/** Follows a run until everything is committed. */
async function watch(capture: CaptureProcess, id: string, events: number): Promise<Omit<Figures, "puts">> {
  const marks: { readonly sequence: number; readonly cpuSeconds: number }[] = [];
  let peakMegabytes = 0;
  while ((marks.at(-1)?.sequence ?? 0) < events) {
    if (!capture.isRunning) throw new Error(`the capture ended: ${(await capture.ended).stderr}`);
    await Bun.sleep(everyMs);
    const sequence = (await newestManifest(world.store, id))?.manifest.lastSequence ?? 0;
    marks.push({ sequence, cpuSeconds: await cpuSecondsOf(capture.pid) });
    peakMegabytes = await peakMegabytesOf(capture.pid);
  }
  const cost = (from: number, to: number) => {
    const first = marks.find(({ sequence }) => sequence >= from)!;
    const last = marks.find(({ sequence }) => sequence >= to)!;
    return (last.cpuSeconds - first.cpuSeconds) / (last.sequence - first.sequence);
  };
  return { peakMegabytes, costRatio: cost(events * 0.6, events) / cost(events * 0.05, events * 0.45) };
}

/** From a tenth of the way on, S3 refuses for a while whatever the capture puts. */
async function stallOnTheWay(caller: string, events: number, ms: number): Promise<void> {
  while (((await newestManifest(world.store, caller))?.manifest.lastSequence ?? 0) < events / 10)
    await Bun.sleep(20);
  await world.fault({
    caller,
    service: "s3",
    operation: "PutObject",
    times: "unlimited",
    action: { status: 503, code: "SlowDown" },
  });
  await Bun.sleep(ms);
  await world.clearFaults();
}

async function peakMegabytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024);
}

/** User and system time: fields 14 and 15 of proc(5), counted behind the name, which may hold spaces. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
