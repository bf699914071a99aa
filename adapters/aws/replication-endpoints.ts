import type {
  Connection,
  DatabaseMigrationServiceClient,
  Endpoint,
} from "@aws-sdk/client-database-migration-service";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type {
  ConnectionTest,
  ReplicationEndpoint,
  ReplicationEndpoints,
  TaskLink,
} from "../../core/replication/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { poll } from "./poll.ts";
import { endless, listingPagesMax } from "./replication-task-reading.ts";
import { awsFailure } from "./store-failure.ts";

type Sdk = typeof import("@aws-sdk/client-database-migration-service");
const nothingThere = "ResourceNotFoundFault";
const passing = "testing";

/** DMS endpoints. Messages name endpoints and tasks, never a login. */
export class AwsReplicationEndpoints implements ReplicationEndpoints {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  #client: DatabaseMigrationServiceClient | undefined;

  constructor(settings: ClientSettings & { readonly clock?: Clock } = {}) {
    const { clock, ...rest } = settings;
    this.#settings = rest;
    this.#clock = clock ?? systemClock;
  }

  async #sdk(): Promise<{ sdk: Sdk; client: DatabaseMigrationServiceClient }> {
    const sdk = await import("@aws-sdk/client-database-migration-service");
    this.#client ??= new sdk.DatabaseMigrationServiceClient(clientOptions(this.#settings));
    return { sdk, client: this.#client };
  }

  /** Every page; nothing where DMS says that nothing matches. */
  async #pages<T>(
    what: string,
    page: (marker: string | undefined) => Promise<{ items: readonly T[]; marker: string | undefined }>,
  ): Promise<T[]> {
    const items: T[] = [];
    let marker: string | undefined;
    for (let count = 0; count < listingPagesMax; count++) {
      try {
        const found = await page(marker);
        items.push(...found.items);
        marker = found.marker;
      } catch (error) {
        if (awsFailure(error).name === nothingThere) return items;
        throw awsError(error, { what, expected: "a list", wayOut: "check the region and the role" });
      }
      if (!marker) return items;
    }
    throw endless(what);
  }

  async links(taskArns: readonly string[]): Promise<TaskLink[]> {
    if (taskArns.length === 0) return [];
    const { sdk, client } = await this.#sdk();
    const what = "describe the endpoints of the DMS tasks";
    const Filters = [{ Name: "replication-task-arn", Values: [...taskArns] }];
    const tasks = await this.#pages(what, async (marker) => {
      const answer = await client.send(
        new sdk.DescribeReplicationTasksCommand({ Filters, ...(marker ? { Marker: marker } : {}) }),
      );
      return { items: answer.ReplicationTasks ?? [], marker: answer.Marker };
    });
    const missing = taskArns.filter((arn) => !tasks.some((task) => task.ReplicationTaskArn === arn));
    if (missing.length > 0) throw noTask(missing);
    return tasks.map((task) => {
      const startedAt = task.ReplicationTaskStats?.StartDate ?? task.ReplicationTaskStartDate;
      return {
        taskId: task.ReplicationTaskIdentifier ?? "",
        taskArn: task.ReplicationTaskArn ?? "",
        sourceEndpointArn: task.SourceEndpointArn ?? "",
        targetEndpointArn: task.TargetEndpointArn ?? "",
        instanceArn: task.ReplicationInstanceArn ?? "",
        ...(startedAt ? { startedAt } : {}),
      };
    });
  }

  async list(): Promise<ReplicationEndpoint[]> {
    const { sdk, client } = await this.#sdk();
    const endpoints = await this.#pages("describe the DMS endpoints", async (marker) => {
      const answer = await client.send(new sdk.DescribeEndpointsCommand(marker ? { Marker: marker } : {}));
      return { items: answer.Endpoints ?? [], marker: answer.Marker };
    });
    return endpoints.map(readEndpoint);
  }

  async lastTest(endpointArn: string, instanceArn: string): Promise<ConnectionTest | undefined> {
    const { sdk, client } = await this.#sdk();
    const Filters = [
      { Name: "endpoint-arn", Values: [endpointArn] },
      { Name: "replication-instance-arn", Values: [instanceArn] },
    ];
    const connections = await this.#pages("describe the DMS connections", async (marker) => {
      const answer = await client.send(
        new sdk.DescribeConnectionsCommand({ Filters, ...(marker ? { Marker: marker } : {}) }),
      );
      return { items: answer.Connections ?? [], marker: answer.Marker };
    });
    return connections[0] && readConnection(connections[0]);
  }

  async test(endpointArn: string, instanceArn: string, timeoutSeconds: number): Promise<ConnectionTest> {
    const { sdk, client } = await this.#sdk();
    const what = `test the connection to the DMS endpoint ${endpointArn}`;
    const asked = new sdk.TestConnectionCommand({
      EndpointArn: endpointArn,
      ReplicationInstanceArn: instanceArn,
    });
    try {
      await client.send(asked);
    } catch (error) {
      // A test is under way already, ours whose answer was lost or somebody's: it ends before ours may begin.
      if (awsFailure(error).name !== "InvalidResourceStateFault") throw testFailed(error, what);
      await this.#ended(what, endpointArn, instanceArn, timeoutSeconds);
      await client.send(asked).catch((again: unknown) => {
        throw testFailed(again, what);
      });
    }
    return this.#ended(what, endpointArn, instanceArn, timeoutSeconds);
  }

  #ended(what: string, endpoint: string, instance: string, seconds: number): Promise<ConnectionTest> {
    const words = {
      what,
      expected: `an end within ${seconds} s`,
      wayOut: "look at the endpoint in the console; running this again tests anew",
    };
    return poll<ConnectionTest>(this.#clock, seconds, words, async () => {
      const last = await this.lastTest(endpoint, instance);
      return last && last.status !== passing ? { answer: last } : { seen: last?.status ?? "no test" };
    });
  }
}

function readEndpoint(endpoint: Endpoint): ReplicationEndpoint {
  const settings = endpoint.MongoDbSettings ?? endpoint.DocDbSettings;
  const secret = settings?.SecretsManagerSecretId;
  const username = endpoint.Username ?? settings?.Username;
  return {
    id: endpoint.EndpointIdentifier ?? "",
    arn: endpoint.EndpointArn ?? "",
    type: endpoint.EndpointType?.toLowerCase() === "source" ? "source" : "target",
    engine: endpoint.EngineName ?? "",
    ...(secret ? { secret } : {}),
    ...(username && !secret ? { username } : {}),
  };
}

function readConnection({ Status, LastFailureMessage }: Connection): ConnectionTest {
  return { status: Status ?? "unknown", ...(LastFailureMessage ? { failure: LastFailureMessage } : {}) };
}

function testFailed(error: unknown, what: string): RoundtripError {
  const wayOut = "see that the endpoint and its replication instance exist and are available";
  return awsError(error, { what, expected: "the test begun", wayOut }, [nothingThere]);
}

function noTask(missing: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "find the DMS tasks of the environment",
    expected: "tasks with the published ARNs",
    got: `no ${missing.join(", ")}`,
    wayOut: "run apply, so that the published environment names the tasks that exist",
  });
}
