/** The worker is replaced in the middle of a capture (R37): nothing is lost or captured twice, and a bad one is put back. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { sha256Of } from "../../core/sha256.ts";
import { drillCollections } from "../../scripts/drill/scope.ts";
import { Timeline } from "../../scripts/drill/timeline.ts";
import { World } from "../../scripts/drill/world.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(180_000);

const root = join(import.meta.dirname, "../..");
const bucket = "releases";
/** Says a version and can do nothing. */
const dead = `#!/bin/sh\n[ "$1" = --version ] && { echo "roundtrip-worker 9.9.8 (dead)"; exit 0; }\nexit 3\n`;
/** Its actions work, they are another's; its capture doesn't start. */
const badOver = (worker: string) =>
  `#!/bin/sh\ncase "$1" in\n  --version) echo "roundtrip-worker 9.9.9 (bad)" ;;\n  action) exec '${worker}' "$@" ;;\n  *) exit 3 ;;\nesac\n`;
let world: World;
let sha256: Readonly<Record<"first" | "next" | "bad" | "dead", string>>;
let written = 0;

beforeAll(async () => {
  const next = join(root, "dist/roundtrip-worker-next");
  for (const options of [[], ["--outfile", next]]) {
    const built = Bun.spawnSync([process.execPath, "services/build.ts", ...options], {
      cwd: root,
      stderr: "pipe",
    });
    if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  }
  world = await World.start(new Timeline(() => {}, false));
  await world.build();
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  const releases = createObjectStore({ bucket });
  const first = readFileSync(link());
  const worker = join(world.hostDirectory, "opt/roundtrip/versions", sha256Of(first), "roundtrip-worker");
  const bodies = { next: readFileSync(next), bad: Buffer.from(badOver(worker)), dead: Buffer.from(dead) };
  for (const [name, body] of Object.entries(bodies))
    await releases.put(`${name}/roundtrip-worker-linux-x64`, body);
  sha256 = {
    first: sha256Of(first),
    next: sha256Of(bodies.next),
    bad: sha256Of(bodies.bad),
    dead: sha256Of(bodies.dead),
  };
  writeFileSync(
    releaseFile(),
    `RELEASE_BUCKET=${bucket}\nRETRY_SECONDS=1\nWORKER_KEY=first/worker\nWORKER_SHA256=${sha256.first}\n`,
  );
  for (const { database, collection } of drillCollections)
    await world.clients.mongodbRoot.db(database).collection(collection).insertOne({ first: true });
  await world.startTasks();
  await world.recordIdentity([...new Set(drillCollections.map(({ database }) => database))]);
  await world.mongodb.kill();
  const started = await runbook("failback-start", "stop-tasks=true");
  if (started.code !== 0) throw new Error(started.err);
});
afterAll(() => world?.[Symbol.asyncDispose](), 60_000);

const link = () => join(world.hostDirectory, "opt/roundtrip/bin/roundtrip-worker");
const releaseFile = () => join(world.hostDirectory, "etc/roundtrip/release.env");
const installed = (version: keyof typeof sha256) =>
  join(world.hostDirectory, "opt/roundtrip/versions", sha256[version], "roundtrip-worker");

async function runbook(name: string, ...inputs: string[]) {
  const args = [
    "runbook",
    name,
    "--env",
    world.environment.environment,
    "--tasks",
    world.tasksFile,
    "--lease-seconds",
    "2",
  ];
  const child = Bun.spawn(
    [process.execPath, "scripts/roundtrip.ts", ...args, ...inputs.flatMap((input) => ["--input", input])],
    { cwd: root, env: { ...process.env, ...world.variables }, stdout: "pipe", stderr: "pipe" },
  );
  const err = await new Response(child.stderr).text();
  return { code: await child.exited, err };
}

const upgrade = (version: keyof typeof sha256, checksum = sha256[version]) =>
  runbook("upgrade-worker", `version=${version}`, `checksum=${checksum}`);

/** One insert after the other until stopped; each one that was acknowledged is counted. */
function writer(): () => Promise<void> {
  let stopped = false;
  const writing = (async () => {
    const invoices = world.clients.shop.db("billing").collection<{ _id: string }>("payment_attempts");
    while (!stopped) {
      await invoices.insertOne({ _id: `written-${written}` });
      written++;
    }
  })();
  return async () => {
    stopped = true;
    await writing;
  };
}

/** Events of the collection in the log, by what the manifests commit. */
async function captured(): Promise<number> {
  const { store } = world;
  let events = 0;
  for await (const { key } of store.list(keysOf(await world.failbackId()).manifests)) {
    const manifest = (await readJson<Manifest>(store, key))!.value;
    for (const object of manifest.objects) {
      if (object.key.includes("/billing/payment_attempts/")) events += object.events;
    }
  }
  return events;
}

const allCaptured = () => waitFor("every write in the log", async () => (await captured()) >= written);

test("in the middle of writes: every acknowledged one is in the log once, the next boot installs the same", async () => {
  const stop = writer();
  await waitFor("writes", () => written > 50);
  const ran = await upgrade("next");
  expect(ran.err).toContain("✅ upgrade-worker succeeded");
  const during = written;
  await waitFor("more writes", () => written > during + 20);
  await stop();
  await allCaptured();
  expect(await captured()).toBe(written);
  expect(readlinkSync(link())).toBe(installed("next"));
  expect(readFileSync(releaseFile(), "utf8")).toBe(
    `RELEASE_BUCKET=${bucket}\nRETRY_SECONDS=1\nWORKER_KEY=next/roundtrip-worker-linux-x64\nWORKER_SHA256=${sha256.next}\n`,
  );
});

test("one that doesn't come up is put back: the run fails, capture goes on, the next boot installs what runs", async () => {
  const ran = await upgrade("bad");
  expect(ran.code).toBe(3);
  expect(ran.err).toContain("is back in place");
  expect(ran.err).not.toContain("nothing is captured");
  expect(readlinkSync(link())).toBe(installed("next"));
  expect(readFileSync(releaseFile(), "utf8")).toContain(`WORKER_SHA256=${sha256.next}\n`);
  const stop = writer();
  const before = written;
  await waitFor("writes", () => written > before + 5);
  await stop();
  await allCaptured();
  expect(await captured()).toBe(written);
});

test("killed when the link led to a bad one already: run again, the version before is put back", async () => {
  // As the action leaves it between the link and capture's start; the bad one is still there from before.
  rmSync(link());
  symlinkSync(installed("bad"), link());
  const ran = await upgrade("bad");
  expect(ran.err).toContain("is back in place");
  expect(ran.err).not.toContain("nothing is captured");
  expect(readlinkSync(link())).toBe(installed("next"));
});

test("one whose actions don't work is never put in place: there would be no way back", async () => {
  const refused = await upgrade("dead");
  expect([refused.code, refused.err]).toEqual([6, expect.stringContaining("nothing was replaced")]);
  expect(refused.err).toContain("action service-status");
  expect(readlinkSync(link())).toBe(installed("next"));
});

test("a wrong checksum, or a key that isn't there, replaces nothing", async () => {
  const wrong = await upgrade("next", "0".repeat(64));
  expect([wrong.code, wrong.err]).toEqual([6, expect.stringContaining("nothing was replaced")]);
  const missing = await runbook("upgrade-worker", "version=nowhere", `checksum=${"1".repeat(64)}`);
  expect([missing.code, missing.err]).toEqual([
    6,
    expect.stringContaining("fetch nowhere/roundtrip-worker-linux-x64"),
  ]);
  expect(readlinkSync(link())).toBe(installed("next"));
});

test("back to the first version, which still lies on the host: nothing is fetched, nothing is lost", async () => {
  expect((await upgrade("first")).code).toBe(0);
  expect(readlinkSync(link())).toBe(installed("first"));
  await allCaptured();
  expect(await captured()).toBe(written);
});
