import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { ToldNotices } from "../../adapters/state/told-notices.ts";
import { latestVerificationKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import { currentKey } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Logger } from "../../core/ports.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { notify } from "./run.ts";

const bucket = "roundtrip-dev";
const runMs = 55_000;

const written = (key = currentKey, inBucket = bucket) => ({
  Records: [{ eventSource: "aws:s3", s3: { bucket: { name: inBucket }, object: { key } } }],
});
const came = (text: string, id = "message-1") => ({
  Records: [{ EventSource: "aws:sns", Sns: { MessageId: id, Message: text } }],
});
const alarm = (state: string, at = "2026-11-21T03:04:05.678+0000") =>
  JSON.stringify({ AlarmName: "disk", NewStateValue: state, StateChangeTime: at, NewStateReason: "" });

class World {
  readonly store = new MemoryObjectStore();
  readonly clock = new InstantClock();
  readonly phases = new PhaseStore(this.store, this.clock, "dev");
  /** First lines of what Slack got. */
  readonly told: string[] = [];
  readonly logged: string[] = [];
  slackIsDown = false;
  private runs = 0;

  call(event: unknown): Promise<{ told: number }> {
    const end = this.clock.monotonicMs() + runMs;
    const log = (fields: object, message: string) =>
      void this.logged.push(`${message} ${JSON.stringify(fields)}`);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    return notify(event, {
      context: { environment: "dev" },
      bucket,
      functionName: "roundtrip-dev-notify",
      store: this.store,
      logger,
      told: new ToldNotices(
        this.store,
        this.clock,
        `run ${this.runs++}`,
        () => end - this.clock.monotonicMs(),
      ),
      post: async ({ text }) => {
        await this.clock.sleep(100);
        if (this.slackIsDown) throw new Error("Slack is down");
        this.told.push(text.split("\n")[0]!.replace(/.*\((.*)\)/, "$1"));
      },
    });
  }

  /** Opens failback `id` and moves it on, with no event of it. */
  async pass(id: string, ...phases: Phase[]): Promise<void> {
    await this.clock.sleep(1_000);
    await this.phases.open(id, "octocat");
    for (const phase of phases) {
      await this.clock.sleep(1_000);
      await this.phases.move(id, phase, "octocat");
    }
  }
}

test("a backup that is not proven is told once, and that backups are proven again; not each success", async () => {
  const world = new World();
  const levels = [{ level: 1, verdict: "DIFFERS", findings: ["another hash"], seconds: 1 }];
  const verify = async (verdict: string, before: string, finishedAt: string) => {
    const document = { verdict, before, finishedAt, backupId: "b", levels };
    await writeJson(world.store, latestVerificationKey, document);
    await world.call(written(latestVerificationKey));
    await world.call(written(latestVerificationKey));
  };
  await verify("DIFFERS", "PROVEN", "2026-11-21T00:40:00Z");
  await verify("PROVEN", "DIFFERS", "2026-11-22T00:40:00Z");
  await verify("PROVEN", "PROVEN", "2026-11-23T00:40:00Z");
  expect(world.told).toEqual(["DIFFERS", "PROVEN"]);
});

describe("a change of phase", () => {
  test("is told once, delivered twice, at once or later", async () => {
    const world = new World();
    await world.pass("fb-1");
    const both = await Promise.all([world.call(written()), world.call(written())]);
    expect(both.map(({ told }) => told).sort()).toEqual([0, 1]);
    expect(await world.call(written())).toEqual({ told: 0 });
    expect(world.told).toEqual(["normal → capturing"]);
  });

  test("whose event was lost is told with the next one, in order", async () => {
    const world = new World();
    await world.pass("fb-1");
    await world.call(written());
    for (const phase of ["draining", "restoring", "verified"] as const)
      await world.phases.move("fb-1", phase, "octocat");
    await world.call(written());
    expect(world.told).toEqual([
      "normal → capturing",
      "capturing → draining",
      "draining → restoring",
      "restoring → verified",
    ]);
  });

  test("that Slack did not take is told by the next call, before what came after it", async () => {
    const world = new World();
    await world.pass("fb-1");
    world.slackIsDown = true;
    await expect(world.call(written())).rejects.toThrow("Slack is down");
    await world.clock.sleep(200);
    world.slackIsDown = false;
    await world.phases.move("fb-1", "draining", "octocat");
    expect(await world.call(written())).toEqual({ told: 2 });
    expect(await world.call(written())).toEqual({ told: 0 });
    expect(world.told).toEqual(["normal → capturing", "capturing → draining"]);
  });

  test("of an earlier failback is told only to a channel that heard of that failback", async () => {
    const silent = new World();
    await silent.pass("fb-1", "normal");
    await silent.pass("fb-2");
    await silent.call(written());
    expect(silent.told).toEqual(["normal → capturing"]);

    const listening = new World();
    await listening.pass("fb-1");
    await listening.call(written());
    await listening.phases.move("fb-1", "normal", "octocat");
    await listening.pass("fb-2");
    await listening.call(written());
    expect(listening.told).toEqual(["normal → capturing", "capturing → normal", "normal → capturing"]);
  });

  test("two runs, of which the second knows a later change: each is told once, in order", async () => {
    const world = new World();
    await world.pass("fb-1");
    const first = world.call(written());
    await world.phases.move("fb-1", "draining", "octocat");
    await Promise.all([first, world.call(written()), world.call(written())]);
    expect(world.told).toEqual(["normal → capturing", "capturing → draining"]);
  });

  test("none is told where none was opened, and of no other object or bucket", async () => {
    const world = new World();
    await world.call(written());
    await world.pass("fb-1");
    await world.call(written("failback/fb-1/scope.json"));
    await world.call(written(currentKey, "roundtrip-qa"));
    await world.call(written("constructor"));
    expect(world.told).toEqual([]);
    expect(world.logged.filter((line) => line.startsWith("an object nobody tells of"))).toHaveLength(3);
  });

  test("a document that does not parse fails the call", async () => {
    const world = new World();
    await world.store.put(currentKey, new TextEncoder().encode("{"));
    await expect(world.call(written())).rejects.toMatchObject({ kind: "logCorrupt" });
  });
});

describe("a message on the alarms' topic", () => {
  test("an alarm is told once each time its state changes", async () => {
    const world = new World();
    await world.call(came(alarm("ALARM"), "1"));
    await world.call(came(alarm("ALARM"), "2"));
    await world.call(came(alarm("OK", "2026-11-21T04:00:00.000+0000"), "3"));
    expect(world.told).toEqual(["dev: ALARM", "dev: OK again"]);
  });

  test("what is no alarm is told as it is, once by its id", async () => {
    const world = new World();
    for (const id of ["1", "1", "2"]) await world.call(came("deploy done", id));
    expect(world.told).toEqual([
      "dev: a message on the alarms' topic",
      "dev: a message on the alarms' topic",
    ]);
  });

  test("Lambda's record of this function's own failure is not told: it would fail the same way, for ever", async () => {
    const world = new World();
    const record = (name: string) =>
      JSON.stringify({
        version: "1.0",
        requestContext: { functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}:$LATEST` },
        requestPayload: written(),
      });
    expect(await world.call(came(record("roundtrip-dev-notify"), "1"))).toEqual({ told: 0 });
    expect(await world.call(came(record("another"), "2"))).toEqual({ told: 1 });
  });
});

test("the alarm on this function's own errors, as Terraform names it, is left to the topic's other subscribers", async () => {
  const module = readFileSync(join(import.meta.dirname, "../../terraform/modules/notify/main.tf"), "utf8");
  const name = /alarm_name\s+= "(.*)"/
    .exec(module)![1]!
    .replace("${var.function_name}", "roundtrip-dev-notify");
  const world = new World();
  const rings = (AlarmName: string) => JSON.stringify({ ...JSON.parse(alarm("ALARM")), AlarmName });
  expect(await world.call(came(rings(name), "1"))).toEqual({ told: 0 });
  expect(await world.call(came(rings("roundtrip-dev-documentdb-cpu"), "2"))).toEqual({ told: 1 });
});

test.each([
  undefined,
  null,
  {},
  { Records: [] },
  { Records: [{}] },
  { Records: [{ eventSource: "aws:sqs" }] },
])("an event that nobody reads fails: %p", async (event) => {
  const failure = await new World().call(event).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RoundtripError);
  expect(failure).toMatchObject({ kind: "usage" });
});

test("a key that S3 wrote as a form is read as it is", async () => {
  const world = new World();
  await writeJson(world.store, currentKey, {});
  await world.call(written("failback%2Fcurrent+1.json"));
  expect(world.logged).toEqual([
    `an object nobody tells of {"bucket":"${bucket}","key":"failback/current 1.json"}`,
  ]);
});
