import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import * as ec2 from "@aws-sdk/client-ec2";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorName, type Scenario } from "./suite.ts";

/** Machines nobody stands behind: what EC2 says of them is all that is looked at. */
class Bench {
  #opened: ec2.EC2Client | undefined;
  #image: Promise<string> | undefined;

  get client(): ec2.EC2Client {
    this.#opened ??= new ec2.EC2Client({});
    return this.#opened;
  }

  /** An image that exists: moto checks, the stand-in doesn't. */
  image(): Promise<string> {
    this.#image ??= this.client
      .send(new ec2.DescribeImagesCommand({ Owners: ["amazon"] }))
      .then(({ Images }) => Images?.[0]?.ImageId ?? "ami-0123456789abcdef0")
      .catch(() => "ami-0123456789abcdef0");
    return this.#image;
  }

  async run(
    tags: Record<string, string> = {},
    more: Partial<ec2.RunInstancesCommandInput> = {},
  ): Promise<string> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const { Instances } = await this.client.send(
      new ec2.RunInstancesCommand({
        ImageId: await this.image(),
        InstanceType: "t3.micro",
        MinCount: 1,
        MaxCount: 1,
        ...(Tags.length > 0 ? { TagSpecifications: [{ ResourceType: "instance", Tags }] } : {}),
        ...more,
      }),
    );
    const id = Instances![0]!.InstanceId!;
    await this.until(id, "running");
    return id;
  }

  async describe(id: string): Promise<ec2.Instance> {
    const { Reservations } = await this.client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
    return Reservations![0]!.Instances![0]!;
  }

  async until(id: string, state: string): Promise<void> {
    const end = performance.now() + 20_000;
    while ((await this.describe(id)).State?.Name !== state) {
      if (performance.now() > end) throw new Error(`${id} never was ${state}`);
      await Bun.sleep(100);
    }
  }

  async stop(id: string): Promise<ec2.InstanceStateChange> {
    return (await this.client.send(new ec2.StopInstancesCommand({ InstanceIds: [id] })))
      .StoppingInstances![0]!;
  }

  async start(id: string): Promise<ec2.InstanceStateChange> {
    return (await this.client.send(new ec2.StartInstancesCommand({ InstanceIds: [id] })))
      .StartingInstances![0]!;
  }

  async ids(...filters: [string, ...string[]][]): Promise<string[]> {
    const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
    const { Reservations } = await this.client.send(new ec2.DescribeInstancesCommand({ Filters }));
    return (Reservations ?? []).flatMap(({ Instances }) => Instances!.map(({ InstanceId }) => InstanceId!));
  }
}

function states(scenario: Scenario, bench: Bench): void {
  scenario(
    "an instance runs, stops and starts again, and each answer names the state it came from",
    async () => {
      const id = await bench.run();
      expect((await bench.describe(id)).State).toEqual({ Code: 16, Name: "running" });
      expect((await bench.stop(id)).PreviousState).toEqual({ Code: 16, Name: "running" });
      await bench.until(id, "stopped");
      expect((await bench.describe(id)).State?.Code).toBe(80);
      expect((await bench.start(id)).PreviousState).toEqual({ Code: 80, Name: "stopped" });
      await bench.until(id, "running");
    },
  );

  scenario("a start sets a new launch time", async () => {
    const id = await bench.run();
    const first = (await bench.describe(id)).LaunchTime!;
    await bench.stop(id);
    await bench.until(id, "stopped");
    await Bun.sleep(1100);
    await bench.start(id);
    await bench.until(id, "running");
    expect((await bench.describe(id)).LaunchTime!.getTime()).toBeGreaterThan(first.getTime());
  });

  scenario("stopping what is stopped, and starting what runs, changes nothing", async () => {
    const id = await bench.run();
    expect((await bench.start(id)).CurrentState?.Name).toBe("running");
    await bench.stop(id);
    await bench.until(id, "stopped");
    expect((await bench.stop(id)).CurrentState?.Name).toBe("stopped");
  });

  scenario("a terminated instance neither starts nor stops", async () => {
    const id = await bench.run();
    await bench.client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    await bench.until(id, "terminated");
    expect(await errorName(bench.start(id))).toBe("IncorrectInstanceState");
  });

  scenario("unknown and malformed ids have errors of their own", async () => {
    const missing = "i-0123456789abcdef9";
    const describe = (id: string) =>
      bench.client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(await errorName(describe(missing))).toBe("InvalidInstanceID.NotFound");
    expect(await errorName(describe("nonsense"))).toBe("InvalidInstanceID.Malformed");
    expect(await errorName(bench.start(missing))).toBe("InvalidInstanceID.NotFound");
    expect(await errorName(bench.stop(missing))).toBe("InvalidInstanceID.NotFound");
  });

  scenario("only running instances are in DescribeInstanceStatus unless all are asked for", async () => {
    const id = await bench.run();
    const status = (IncludeAllInstances: boolean) =>
      bench.client.send(new ec2.DescribeInstanceStatusCommand({ InstanceIds: [id], IncludeAllInstances }));
    expect((await status(false)).InstanceStatuses?.[0]?.InstanceState?.Name).toBe("running");
    await bench.stop(id);
    await bench.until(id, "stopped");
    expect((await status(false)).InstanceStatuses ?? []).toEqual([]);
    expect((await status(true)).InstanceStatuses?.[0]?.InstanceState?.Name).toBe("stopped");
  });
}

function attributes(scenario: Scenario, bench: Bench): void {
  scenario("stop protection is off, can be turned on, and then StopInstances is not permitted", async () => {
    const id = await bench.run();
    const read = async () =>
      (
        await bench.client.send(
          new ec2.DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "disableApiStop" }),
        )
      ).DisableApiStop?.Value;
    const set = (Value: boolean) =>
      bench.client.send(
        new ec2.ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiStop: { Value } }),
      );
    expect(await read()).toBe(false);
    await set(true);
    expect(await read()).toBe(true);
    expect(await errorName(bench.stop(id))).toBe("OperationNotPermitted");
    expect((await bench.describe(id)).State?.Name).toBe("running");
    await set(false);
    await bench.stop(id);
    await bench.until(id, "stopped");
  });

  scenario("termination protection guards against TerminateInstances", async () => {
    const id = await bench.run({}, { DisableApiTermination: true });
    const terminate = () => bench.client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await errorName(terminate())).toBe("OperationNotPermitted");
    await bench.client.send(
      new ec2.ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: false } }),
    );
    await terminate();
    await bench.until(id, "terminated");
  });
}

function tagging(scenario: Scenario, bench: Bench): void {
  scenario("instances are found by tags and state; filters narrow each other", async () => {
    const mark = randomBytes(6).toString("hex");
    const one = await bench.run({ mark, Name: `failback-${mark}` });
    const two = await bench.run({ mark, Name: `operations-${mark}` });
    expect((await bench.ids(["tag:mark", mark])).sort()).toEqual([one, two].sort());
    expect(await bench.ids(["tag:Name", "failback-*"], ["tag:mark", mark])).toEqual([one]);
    expect(await bench.ids(["tag:mark", mark], ["instance-state-name", "stopped"])).toEqual([]);
    expect(await bench.ids(["tag:mark", "nothing"])).toEqual([]);
  });

  scenario("tags are added, replaced and removed", async () => {
    const id = await bench.run({ keep: "1" });
    const tags = async () =>
      Object.fromEntries((await bench.describe(id)).Tags!.map(({ Key, Value }) => [Key, Value]));
    await bench.client.send(
      new ec2.CreateTagsCommand({
        Resources: [id],
        Tags: [
          { Key: "keep", Value: "2" },
          { Key: "more", Value: "x" },
        ],
      }),
    );
    expect(await tags()).toEqual({ keep: "2", more: "x" });
    await bench.client.send(new ec2.DeleteTagsCommand({ Resources: [id], Tags: [{ Key: "more" }] }));
    expect(await tags()).toEqual({ keep: "2" });
  });
}

/** EC2 instances as the runbooks use them. */
export function ec2Contract(subject: ContractSubject): void {
  contractSuite("EC2 contract", subject, (scenario) => {
    const bench = new Bench();
    states(scenario, bench);
    attributes(scenario, bench);
    tagging(scenario, bench);
  });
}
