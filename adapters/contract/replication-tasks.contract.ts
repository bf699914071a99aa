import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import * as dms from "@aws-sdk/client-database-migration-service";
import { RoundtripError } from "../../core/errors.ts";
import { AwsReplicationTasks } from "../aws/replication-tasks.ts";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorOf, type Scenario } from "./suite.ts";

const mappings = JSON.stringify({
  rules: [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "shop", "table-name": "orders" },
      "rule-action": "explicit",
    },
  ],
});

/** Endpoints nobody listens at, an instance, and tasks between them. */
class Bench {
  private opened: dms.DatabaseMigrationServiceClient | undefined;

  get client(): dms.DatabaseMigrationServiceClient {
    this.opened ??= new dms.DatabaseMigrationServiceClient({});
    return this.opened;
  }

  name(): string {
    return `task-x${randomBytes(5).toString("hex")}`;
  }

  async endpoint(EndpointType: "source" | "target", EngineName: string): Promise<string> {
    const { Endpoint } = await this.client.send(
      new dms.CreateEndpointCommand({
        EndpointIdentifier: this.name(),
        EndpointType,
        EngineName,
        ServerName: "127.0.0.1",
        Port: 1,
        Username: "dms",
        Password: "never shown",
      }),
    );
    return Endpoint!.EndpointArn!;
  }

  async instance(): Promise<string> {
    const { ReplicationInstance } = await this.client.send(
      new dms.CreateReplicationInstanceCommand({
        ReplicationInstanceIdentifier: this.name(),
        ReplicationInstanceClass: "dms.t3.medium",
      }),
    );
    const arn = ReplicationInstance!.ReplicationInstanceArn!;
    await this.until(async () => {
      const Filters = [{ Name: "replication-instance-arn", Values: [arn] }];
      const { ReplicationInstances } = await this.client.send(
        new dms.DescribeReplicationInstancesCommand({ Filters }),
      );
      return ReplicationInstances?.[0]?.ReplicationInstanceStatus === "available";
    });
    return arn;
  }

  /** A new task, and the arguments another one on the same endpoints would have. */
  async task(): Promise<{ id: string; arn: string }> {
    const ReplicationTaskIdentifier = this.name();
    const { ReplicationTask } = await this.client.send(
      new dms.CreateReplicationTaskCommand({
        ReplicationTaskIdentifier,
        SourceEndpointArn: await this.endpoint("source", "mongodb"),
        TargetEndpointArn: await this.endpoint("target", "docdb"),
        ReplicationInstanceArn: await this.instance(),
        MigrationType: "full-load-and-cdc",
        TableMappings: mappings,
      }),
    );
    const arn = ReplicationTask!.ReplicationTaskArn!;
    const ready = async () => (await new AwsReplicationTasks().describe([arn]))[0]?.status === "ready";
    // An endpoint that leaves tasks in "creating" starts them from there all the same.
    await this.until(ready, 3).catch(() => undefined);
    return { id: ReplicationTaskIdentifier, arn };
  }

  async until(condition: () => Promise<boolean>, seconds = 10): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`the condition was not met within ${seconds} s`);
      await Bun.sleep(20);
    }
  }
}

async function failureOf(call: Promise<unknown>): Promise<RoundtripError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RoundtripError);
  return error as RoundtripError;
}

function describing(scenario: Scenario, bench: Bench): void {
  scenario("tasks are described by ARN and by identifier, those that don't exist are left out", async () => {
    const tasks = new AwsReplicationTasks();
    const { id, arn } = await bench.task();
    const [byArn] = await tasks.describe([arn]);
    expect(byArn).toMatchObject({ id, arn });
    expect(byArn?.checkpoint).toBeUndefined();
    expect(await tasks.describe([id, "nobody"])).toEqual([byArn!]);
    expect(await tasks.describe(["nobody", `${arn}-not`])).toEqual([]);
    expect((await tasks.describe([])).map((task) => task.id)).toContain(id);
  });

  scenario("a task to stop or start that doesn't exist is a matter of configuration", async () => {
    const tasks = new AwsReplicationTasks();
    const calls = [() => tasks.stop("nobody", 1), () => tasks.start("nobody", "resume-processing", 1)];
    for (const call of calls) {
      const failure = await failureOf(call());
      expect(failure.kind).toBe("configuration");
      expect(failure.message).toContain("nobody");
    }
  });

  scenario("every table over all pages, none before the first start", async () => {
    const { arn } = await bench.task();
    expect(await new AwsReplicationTasks().tables(arn)).toEqual([]);
  });
}

function running(scenario: Scenario, bench: Bench): void {
  scenario("the first start is start-replication; then it runs, is stopped, and stays stopped", async () => {
    const tasks = new AwsReplicationTasks();
    const { arn } = await bench.task();
    expect((await tasks.start(arn, "start-replication", 10)).status).toBe("running");
    const stopped = await tasks.stop(arn, 10);
    expect(stopped.status).toBe("stopped");
    expect((await tasks.stop(arn, 10)).status).toBe("stopped");
  });

  scenario("a stopped task says why and when it stopped", async () => {
    const tasks = new AwsReplicationTasks();
    const { arn } = await bench.task();
    await tasks.start(arn, "start-replication", 10);
    const stopped = await tasks.stop(arn, 10);
    expect(stopped.stopReason).toBe("NORMAL");
    expect(stopped.stoppedAt!.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  scenario("resuming what never ran, and starting anew what ran, are refused", async () => {
    const tasks = new AwsReplicationTasks();
    const { arn } = await bench.task();
    expect((await failureOf(tasks.start(arn, "resume-processing", 10))).kind).toBe("refused");
    await tasks.start(arn, "start-replication", 10);
    await tasks.stop(arn, 10);
    const again = await failureOf(tasks.start(arn, "start-replication", 10));
    expect(again.kind).toBe("refused");
    expect(again.message).toContain("first time");
    expect((await tasks.start(arn, "resume-processing", 10)).status).toBe("running");
    await tasks.stop(arn, 10);
  });

  scenario("a running task can't be started, changed or deleted", async () => {
    const tasks = new AwsReplicationTasks();
    const { arn } = await bench.task();
    await tasks.start(arn, "start-replication", 10);
    const change = new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings: mappings });
    expect(await errorOf(bench.client.send(change))).toBe("InvalidResourceStateFault 400");
    const remove = new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn });
    expect(await errorOf(bench.client.send(remove))).toBe("InvalidResourceStateFault 400");
    await tasks.stop(arn, 10);
  });

  scenario(
    "reloading tables of a task that doesn't run, or that it doesn't have, fails and names them",
    async () => {
      const tasks = new AwsReplicationTasks();
      const { arn } = await bench.task();
      const failure = await failureOf(tasks.reloadTables(arn, [{ schema: "shop", table: "orders" }]));
      expect(failure.message).toContain("shop.orders");
      expect(failure.kind).toBe("configuration");
    },
  );

  scenario("a used endpoint, instance or running task can't be deleted; a stopped task can", async () => {
    const { arn } = await bench.task();
    const filter = { Filters: [{ Name: "replication-task-arn", Values: [arn] }] };
    const { ReplicationTasks } = await bench.client.send(new dms.DescribeReplicationTasksCommand(filter));
    const { SourceEndpointArn, ReplicationInstanceArn } = ReplicationTasks![0]!;
    const used = "InvalidResourceStateFault 400";
    expect(
      await errorOf(bench.client.send(new dms.DeleteEndpointCommand({ EndpointArn: SourceEndpointArn! }))),
    ).toBe(used);
    expect(
      await errorOf(bench.client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }))),
    ).toBe(used);
    await bench.client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }));
    await bench.until(async () => (await new AwsReplicationTasks().describe([arn])).length === 0);
  });
}

function showing(scenario: Scenario, bench: Bench): void {
  scenario("a task shows what it was made of, when it began to run and when it began anew", async () => {
    const tasks = new AwsReplicationTasks();
    const { id, arn } = await bench.task();
    const live = async () => (await tasks.live((task) => task.arn === arn)).find((task) => task.id === id)!;
    expect(await live()).toMatchObject({ id, arn, mappings: JSON.parse(mappings), tables: [] });
    expect((await live()).startedAt).toBeUndefined();
    await tasks.start(arn, "start-replication", 10);
    const first = await live();
    expect(Date.parse(first.startedAt!)).toBeGreaterThan(Date.now() - 60_000);
    await tasks.stop(arn, 10);
    await Bun.sleep(5);
    await tasks.start(arn, "resume-processing", 10);
    const resumed = await live();
    expect(resumed.startedAt).not.toBe(first.startedAt!);
    expect(resumed.freshlyStartedAt).toBe(first.freshlyStartedAt!);
    await tasks.stop(arn, 10);
    await Bun.sleep(5);
    await tasks.start(arn, "reload-target", 10);
    expect((await live()).freshlyStartedAt).not.toBe(first.freshlyStartedAt!);
    await tasks.stop(arn, 10);
  });
}

function endpoints(scenario: Scenario, bench: Bench): void {
  scenario("an endpoint is found by its ARN and never shows its password", async () => {
    const arn = await bench.endpoint("source", "mongodb");
    const Filters = [{ Name: "endpoint-arn", Values: [arn] }];
    const { Endpoints } = await bench.client.send(new dms.DescribeEndpointsCommand({ Filters }));
    expect(Endpoints).toHaveLength(1);
    expect(Endpoints![0]).toMatchObject({
      EngineName: "mongodb",
      ServerName: "127.0.0.1",
      Port: 1,
    });
    expect(JSON.stringify(Endpoints)).not.toContain("never shown");
  });

  scenario("a name that is taken is refused", async () => {
    const create = (EndpointIdentifier: string) =>
      bench.client.send(
        new dms.CreateEndpointCommand({
          EndpointIdentifier,
          EndpointType: "target",
          EngineName: "docdb",
          ServerName: "h",
          Port: 1,
        }),
      );
    const name = bench.name();
    await create(name);
    expect(await errorOf(create(name))).toBe("ResourceAlreadyExistsFault 400");
  });

  scenario("a subnet group is made, shown and deleted", async () => {
    const ReplicationSubnetGroupIdentifier = bench.name();
    await bench.client.send(
      new dms.CreateReplicationSubnetGroupCommand({
        ReplicationSubnetGroupIdentifier,
        ReplicationSubnetGroupDescription: "private",
        SubnetIds: ["subnet-1", "subnet-2"],
      }),
    );
    const Filters = [{ Name: "replication-subnet-group-id", Values: [ReplicationSubnetGroupIdentifier] }];
    const { ReplicationSubnetGroups } = await bench.client.send(
      new dms.DescribeReplicationSubnetGroupsCommand({ Filters }),
    );
    expect(ReplicationSubnetGroups![0]).toMatchObject({ ReplicationSubnetGroupDescription: "private" });
    await bench.client.send(
      new dms.DeleteReplicationSubnetGroupCommand({ ReplicationSubnetGroupIdentifier }),
    );
    const gone = bench.client.send(new dms.DescribeReplicationSubnetGroupsCommand({ Filters }));
    expect(await errorOf(gone)).toBe("ResourceNotFoundFault 400");
  });
}

/** What the product relies on of DMS, seen through its adapter wherever it has one. */
export function replicationTasksContract(subject: ContractSubject): void {
  contractSuite("replication tasks", subject, (scenario) => {
    const bench = new Bench();
    describing(scenario, bench);
    running(scenario, bench);
    showing(scenario, bench);
    endpoints(scenario, bench);
  });
}
