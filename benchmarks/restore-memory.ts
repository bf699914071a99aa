/**
 * Peak memory of applying a log of 1 KB changes, at two lengths: bounded, and hardly growing with the log. Then once
 * more with reads of the log that S3 answers late (`--stall N`: by N seconds, default 5).
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { S3ObjectStore } from "../adapters/aws/object-store.ts";
import { newestManifest } from "../adapters/log/manifests.ts";
import { awsEnvironment, steerAws } from "../sandbox/up/aws.ts";
import { Sandbox } from "../sandbox/up/sandbox.ts";
import { replicate } from "../services/replication/run.ts";
import { testCapture } from "../tests/support/capture-context.ts";
import { changeEvent } from "../tests/support/change-events.ts";
import { waitFor } from "../tests/support/wait-for.ts";
import { GeneratedSource } from "./support/generated-source.ts";

const { size, json, stallSeconds } = argumentsGiven();
const text = "x".repeat(900);
const growthMax = 1.1;
const peakMaxMiB = 400;

await using sandbox = await Sandbox.start({ only: ["database", "aws"] });
const endpoint = sandbox.addresses.aws!;
Object.assign(process.env, awsEnvironment(endpoint, "roundtrip-benchmark"));
const short = await peakAt(size / 5);
const long = await peakAt(size);
await stallReads();
const stalled = await peakOf(`log-${size}`);
const growth = Math.round((long.peakMiB / short.peakMiB) * 100) / 100;
const result = {
  benchmark: "restore memory",
  work: `${size / 5} and ${size} changes of 1 KB`,
  peakMiB: { short: short.peakMiB, long: long.peakMiB, stalled: stalled.peakMiB },
  growth,
  ms: { short: Math.round(short.ms), long: Math.round(long.ms), stalled: Math.round(stalled.ms) },
  target: `at most ${peakMaxMiB} MiB, growth at most ${growthMax}`,
  reached: Math.max(long.peakMiB, stalled.peakMiB) <= peakMaxMiB && growth <= growthMax,
};
console.log(
  json
    ? JSON.stringify(result)
    : `restore memory: ${short.peakMiB} MiB, then ${long.peakMiB} MiB (${growth} ×), ${stalled.peakMiB} MiB with S3 late, ${result.work}; ${result.target}`,
);

async function peakAt(changes: number): Promise<{ ms: number; peakMiB: number }> {
  const bucket = `log-${changes}`;
  await buildLog(bucket, changes);
  console.error(`restore memory: log of ${changes} changes is in S3`);
  return peakOf(bucket);
}

/** Each of some reads on the way is late by the whole time: whatever was read ahead has to wait in memory. */
async function stallReads(): Promise<void> {
  await steerAws(endpoint, "faults", {
    id: "late",
    service: "s3",
    operation: "GetObject",
    keyPattern: "replication/",
    nth: 3,
    times: 3,
    action: { delayMs: stallSeconds * 1000 },
  });
}

async function peakOf(bucket: string): Promise<{ ms: number; peakMiB: number }> {
  const script = join(import.meta.dir, "support/restore-once.ts");
  const child = Bun.spawn([process.execPath, script, sandbox.addresses.mongodb!, bucket], {
    env: { ...process.env },
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("restore-once failed");
  console.error(`restore memory: ${said.trim()}`);
  return JSON.parse(said);
}

function argumentsGiven() {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      size: { type: "string", default: "1000000" },
      stall: { type: "string", default: "5" },
      json: { type: "boolean", default: false },
    },
  });
  return { size: Number(values.size), json: values.json, stallSeconds: Number(values.stall) };
}

async function buildLog(bucket: string, changes: number): Promise<void> {
  const credentials = (
    await steerAws<{ default: { accessKeyId: string; secretAccessKey: string } }>(endpoint, "credentials")
  ).default;
  const client = new S3Client({ region: "us-east-1", endpoint, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const store = new S3ObjectStore({ bucket, region: "us-east-1" });
  using capture = await testCapture(store, { settings: { maxDelayMs: 200 } });
  const source = new GeneratedSource(changes, (number) => {
    const _id = number % 50_000;
    return changeEvent(number, { operationType: "update", id: _id, fullDocument: { _id, number, text } });
  });
  const running = replicate(capture.context, capture.failback, { source, beat: async () => {} });
  const isCaptured = async () => {
    await Bun.sleep(200);
    return (await newestManifest(store, capture.failback.id))?.manifest.lastSequence === changes;
  };
  await waitFor("the log", isCaptured, 600_000);
  capture.stop();
  await running;
}
