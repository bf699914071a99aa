import type { EC2Client } from "@aws-sdk/client-ec2";
import type { SSMClient } from "@aws-sdk/client-ssm";
import type { Clock, InstanceState, Instances } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { poll } from "./poll.ts";

/** A ping older than this says nothing about now. */
const freshPingMs = 5 * 60_000;
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
    return this.#call(`describe instance ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      const described = await client.send(new sdk.DescribeInstancesCommand({ InstanceIds: [instanceId] }));
      const name = described.Reservations?.[0]?.Instances?.[0]?.State?.Name;
      if (!name) throw new Error("an answer without a state");
      return name;
    });
  }

  /** A start while the instance is still stopping is refused by EC2; it is waited for first, bounded. */
  async start(instanceId: string): Promise<void> {
    if ((await this.state(instanceId)) === "stopping") await this.waitStopped(instanceId, 600);
    await this.#call(`start instance ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      await client.send(new sdk.StartInstancesCommand({ InstanceIds: [instanceId] }));
    });
  }

  async stop(instanceId: string): Promise<void> {
    await this.#call(`stop instance ${instanceId}`, async () => {
      const { sdk, client } = await this.#sdk();
      await client.send(new sdk.StopInstancesCommand({ InstanceIds: [instanceId] }));
    });
  }

  async waitReady(instanceId: string, timeoutSeconds: number): Promise<void> {
    const waitFor = {
      what: `wait for instance ${instanceId}`,
      expected: "running, and Online in SSM with a fresh ping",
      wayOut:
        "check the SSM agent, the instance profile and the route to the SSM endpoints, then run it again",
    };
    await poll(this.#clock, timeoutSeconds, waitFor, async () => {
      const state = await this.state(instanceId);
      if (state !== "running") return { seen: state };
      const ping = await this.#ping(instanceId);
      return ping === "Online" ? { answer: true } : { seen: `running, SSM ${ping}` };
    });
  }

  async waitStopped(instanceId: string, timeoutSeconds: number): Promise<void> {
    const waitFor = {
      what: `wait for instance ${instanceId}`,
      expected: "stopped",
      wayOut: "look at the instance in EC2, then run it again",
    };
    await poll(this.#clock, timeoutSeconds, waitFor, async () => {
      const state = await this.state(instanceId);
      return state === "stopped" ? { answer: true } : { seen: state };
    });
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
      return described.DisableApiStop?.Value === true;
    });
  }

  async #ping(instanceId: string): Promise<string> {
    return this.#call(`ask SSM for ${instanceId}`, async () => {
      const sdk = await import("@aws-sdk/client-ssm");
      this.#ssm ??= new sdk.SSMClient(clientOptions(this.#settings));
      const { InstanceInformationList: list } = await this.#ssm.send(
        new sdk.DescribeInstanceInformationCommand({
          Filters: [{ Key: "InstanceIds", Values: [instanceId] }],
        }),
      );
      const found = list?.find((entry) => entry.InstanceId === instanceId);
      if (!found?.PingStatus) return "does not know it yet";
      const age = this.#clock.now().getTime() - (found.LastPingDateTime?.getTime() ?? 0);
      return found.PingStatus === "Online" && age > freshPingMs ? "ping is old" : found.PingStatus;
    });
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
