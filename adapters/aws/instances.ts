import type { EC2Client, Instance } from "@aws-sdk/client-ec2";
import type { SSMClient } from "@aws-sdk/client-ssm";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock, InstanceState, Instances } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { poll } from "./poll.ts";
import { awsFailure } from "./store-failure.ts";

const stoppingSecondsMax = 600;
/** Right after a start EC2 may still answer "stopped"; after this the instance has stopped by itself. */
const staleStateMs = 30_000;
const missing = ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"];

/** EC2 instances and whether SSM reaches them. Fails with RoundtripError naming the instance. */
export class AwsInstances implements Instances {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  #ec2: EC2Client | undefined;
  #ssm: SSMClient | undefined;

  constructor(settings: ClientSettings & { readonly clock?: Clock } = {}) {
    const { clock, ...rest } = settings;
    this.#settings = rest;
    this.#clock = clock ?? systemClock;
  }

  async #sdk() {
    const sdk = await import("@aws-sdk/client-ec2");
    this.#ec2 ??= new sdk.EC2Client(clientOptions(this.#settings));
    return { sdk, client: this.#ec2 };
  }

  async state(instanceId: string): Promise<InstanceState> {
    return stateOf(await this.#describe(instanceId));
  }

  async #describe(instanceId: string): Promise<Instance> {
    return this.#call(`describe instance ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      const described = await client.send(new sdk.DescribeInstancesCommand({ InstanceIds: [instanceId] }));
      const instance = described.Reservations?.[0]?.Instances?.[0];
      if (!instance?.State?.Name) throw new Error("an answer without a state");
      return instance;
    });
  }

  /** A start while the instance is still stopping is refused by EC2; it is waited for first, bounded. */
  async start(instanceId: string): Promise<void> {
    if ((await this.state(instanceId)) === "stopping") await this.waitStopped(instanceId, stoppingSecondsMax);
    await this.#call(`start instance ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      await client.send(new sdk.StartInstancesCommand({ InstanceIds: [instanceId] }));
    });
  }

  /** Asks EC2 to stop it; one that is stopped already is fine. Fails "refused" while stop protection is on. */
  async stop(instanceId: string): Promise<void> {
    const what = `stop instance ${instanceId}`;
    await this.#call(what, async () => {
      const { sdk, client } = await this.#sdk();
      try {
        await client.send(new sdk.StopInstancesCommand({ InstanceIds: [instanceId] }));
      } catch (error) {
        const wayOut = "a failback may be under way: end it with clean, which takes the protection off";
        if (awsFailure(error).name === "OperationNotPermitted")
          throw refused(what, "stop protection off", awsFailure(error).message, wayOut, error);
        throw error;
      }
    });
  }

  /**
   * Waits until EC2 says running and SSM says Online by a ping that is younger than this start of the instance: for
   * minutes after a stop the last Online still stands. Both times are AWS's, the runner's clock plays no part. Fails
   * "refused" as soon as the instance is seen to have gone down again, "unknown" after `timeoutSeconds`.
   */
  async waitReady(instanceId: string, timeoutSeconds: number): Promise<void> {
    const waitFor = {
      what: `wait for instance ${instanceId}`,
      expected: "running, and Online in SSM with a ping since it was started",
      wayOut:
        "check the SSM agent, the instance profile and the route to the SSM endpoints, then run it again",
    };
    const startedMs = this.#clock.monotonicMs();
    await poll<true>(this.#clock, timeoutSeconds, waitFor, () =>
      this.#patiently(async () => {
        const instance = await this.#describe(instanceId);
        const state = stateOf(instance);
        if (isDown(state, this.#clock.monotonicMs() - startedMs)) {
          const got = `${state}: ${instance.StateTransitionReason || "no reason given"}`;
          throw refused(
            waitFor.what,
            "running",
            got,
            "see who stopped it (a schedule, spot, a person), then start it",
          );
        }
        if (state !== "running") return { seen: state };
        const ping = await this.#ping(instanceId);
        if (!ping) return { seen: "running, SSM does not know it yet" };
        const isFresh = ping.at >= (instance.LaunchTime ?? new Date(0));
        if (ping.status === "Online" && isFresh) return { answer: true };
        return { seen: `running, SSM ${ping.status} since ${ping.at.toISOString()}` };
      }),
    );
  }

  async waitStopped(instanceId: string, timeoutSeconds: number): Promise<void> {
    const waitFor = {
      what: `wait for instance ${instanceId}`,
      expected: "stopped",
      wayOut: "look at the instance in EC2, then run it again",
    };
    await poll<true>(this.#clock, timeoutSeconds, waitFor, () =>
      this.#patiently(async () => {
        const state = await this.state(instanceId);
        if (state === "terminated")
          throw refused(waitFor.what, "stopped", state, "the instance is gone: Terraform makes a new one");
        return state === "stopped" ? { answer: true } : { seen: state };
      }),
    );
  }

  async setStopProtection(instanceId: string, on: boolean): Promise<void> {
    await this.#call(`set stop protection of ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      await client.send(
        new sdk.ModifyInstanceAttributeCommand({ InstanceId: instanceId, DisableApiStop: { Value: on } }),
      );
    });
  }

  async stopProtection(instanceId: string): Promise<boolean> {
    return this.#call(`read stop protection of ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      const described = await client.send(
        new sdk.DescribeInstanceAttributeCommand({ InstanceId: instanceId, Attribute: "disableApiStop" }),
      );
      const value = described.DisableApiStop?.Value;
      if (value === undefined) throw new Error("an answer without the attribute");
      return value;
    });
  }

  async #ping(instanceId: string): Promise<{ status: string; at: Date } | undefined> {
    return this.#call(`ask SSM for ${instanceId}`, async () => {
      const sdk = await import("@aws-sdk/client-ssm");
      this.#ssm ??= new sdk.SSMClient(clientOptions(this.#settings));
      const { InstanceInformationList: list } = await this.#ssm.send(
        new sdk.DescribeInstanceInformationCommand({
          Filters: [{ Key: "InstanceIds", Values: [instanceId] }],
        }),
      );
      const found = list?.find((entry) => entry.InstanceId === instanceId);
      return found?.PingStatus
        ? { status: found.PingStatus, at: found.LastPingDateTime ?? new Date(0) }
        : undefined;
    });
  }

  /** A passing fault is no end of waiting: the deadline is. */
  async #patiently<Seen extends object>(look: () => Promise<Seen>): Promise<Seen | { seen: string }> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof RoundtripError) || error.kind !== "unavailable") throw error;
      return { seen: error.got };
    }
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const wayOut = "check the instance id in the environment and the role's EC2 permissions";
      throw awsError(error, { what, expected: "EC2 and SSM to answer", wayOut }, missing);
    }
  }
}

/** The adapter as programs get it. */
export function createInstances(settings: ClientSettings = {}): Instances {
  return new AwsInstances(settings);
}

function stateOf(instance: Instance): InstanceState {
  return instance.State?.Name ?? "pending";
}

function isDown(state: InstanceState, waitedMs: number): boolean {
  if (state === "terminated" || state === "shutting-down") return true;
  return (state === "stopped" || state === "stopping") && waitedMs > staleStateMs;
}

function refused(
  what: string,
  expected: string,
  got: string,
  wayOut: string,
  cause?: unknown,
): RoundtripError {
  return new RoundtripError({ kind: "refused", what, expected, got, wayOut }, { cause });
}
