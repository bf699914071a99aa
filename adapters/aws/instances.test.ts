import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import type { RoundtripError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { systemClock } from "../clock.ts";
import { AwsInstances } from "./instances.ts";

setDefaultTimeout(30_000);
let aws: TestAws;
let machine: FakeMachine;
let counter = 0;
let instanceId = "";
const instances = new AwsInstances();

/** The part of the host stand-in that the aws one talks to: it only counts how often it is switched. */
class FakeMachine implements Disposable {
  readonly calls: string[] = [];
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      this.calls.push(new URL(request.url).pathname);
      return Response.json({});
    },
  });

  get control(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** What the agent of a running machine does every half second. */
  async report(): Promise<void> {
    await aws.control("POST", `instances/${instanceId}/host`, { control: this.control, running: true });
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

/** The system's clock, with what the test wants done at each pause of a poll. */
function clockWith(onSleep: () => Promise<void> | void): Clock {
  return {
    ...systemClock,
    async sleep(ms, signal) {
      await onSleep();
      await systemClock.sleep(ms, signal);
    },
  };
}

async function failureOf(call: Promise<unknown>): Promise<RoundtripError> {
  return call.then(
    () => Promise.reject(new Error("expected a failure")),
    (error: RoundtripError) => error,
  );
}

beforeAll(async () => {
  aws = await startTestAws();
  await aws.control("POST", "ec2", { pendingMs: 150, stoppingMs: 150, agentDelayMs: 100 });
});
beforeEach(async () => {
  machine = new FakeMachine();
  instanceId = `i-0c0ffee0c0ff${String(++counter).padStart(5, "0")}`;
  await aws.control("POST", "instances", { instanceId });
  await aws.control("POST", `instances/${instanceId}/host`, { control: machine.control, running: false });
});
afterEach(() => machine[Symbol.dispose]());
afterAll(() => aws?.[Symbol.asyncDispose]());

describe("an instance", () => {
  test("starts through pending, is ready once its agent reports, stops through stopping", async () => {
    expect(await instances.state(instanceId)).toBe("stopped");
    await instances.start(instanceId);
    expect(await instances.state(instanceId)).toBe("pending");
    const waiting = new AwsInstances({ clock: clockWith(() => machine.report()) });
    await waiting.waitReady(instanceId, 20);
    expect(machine.calls).toEqual(["/boot"]);
    await instances.start(instanceId);
    await instances.stop(instanceId);
    expect(await instances.state(instanceId)).toBe("stopping");
    await instances.waitStopped(instanceId, 20);
    expect(machine.calls).toEqual(["/boot", "/halt"]);
    await instances.stop(instanceId);
  });

  test("that was Online before a stop isn't ready by that old ping", async () => {
    await aws.control("POST", "ssm", { connectionLostMs: 60_000 });
    await instances.start(instanceId);
    await new AwsInstances({ clock: clockWith(() => machine.report()) }).waitReady(instanceId, 20);
    await instances.stop(instanceId);
    await instances.waitStopped(instanceId, 20);
    await instances.start(instanceId);
    const failure = await failureOf(instances.waitReady(instanceId, 2));
    expect(failure.kind).toBe("unknown");
    expect(failure.got).toContain("running, SSM Online since");
  });

  test("asked to start while it stops is started once it has stopped", async () => {
    await instances.start(instanceId);
    await new AwsInstances({ clock: clockWith(() => machine.report()) }).waitReady(instanceId, 20);
    await instances.stop(instanceId);
    await instances.start(instanceId);
    expect(["pending", "running"]).toContain(await instances.state(instanceId));
  });

  test("that goes away while it is waited for ends the wait at once", async () => {
    await aws.control("POST", "instances", { instanceId, state: "terminated" });
    const failure = await failureOf(instances.waitReady(instanceId, 60));
    expect(failure).toMatchObject({ kind: "refused", expected: "running" });
    expect(await failureOf(instances.waitStopped(instanceId, 60))).toMatchObject({ kind: "refused" });
  });

  test("under stop protection refuses to stop, and says how it comes off", async () => {
    await instances.start(instanceId);
    await new AwsInstances({ clock: clockWith(() => machine.report()) }).waitReady(instanceId, 20);
    expect(await instances.stopProtection(instanceId)).toBe(false);
    await instances.setStopProtection(instanceId, true);
    expect(await instances.stopProtection(instanceId)).toBe(true);
    expect(await failureOf(instances.stop(instanceId))).toMatchObject({
      kind: "refused",
      expected: "stop protection off",
    });
    expect(await instances.state(instanceId)).toBe("running");
    await instances.setStopProtection(instanceId, false);
    await instances.stop(instanceId);
    await instances.waitStopped(instanceId, 20);
  });

  test("that doesn't exist is a matter of configuration", async () => {
    for (const id of ["i-0ffffffffffffffff", "not-an-id"]) {
      const failure = await failureOf(instances.state(id));
      expect([failure.kind, failure.what]).toEqual(["configuration", `describe instance ${id}`]);
    }
  });

  test("is waited for through faults that pass", async () => {
    await instances.start(instanceId);
    await aws.control("POST", "faults", {
      service: "ec2",
      operation: "DescribeInstances",
      nth: 1,
      times: 4,
      when: "before",
      action: { status: 503, code: "Unavailable" },
    });
    await new AwsInstances({ attemptsMax: 1, clock: clockWith(() => machine.report()) }).waitReady(
      instanceId,
      20,
    );
  });
});
