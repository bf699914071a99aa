import type { DatabaseMigrationServiceClient, Endpoint } from "@aws-sdk/client-database-migration-service";
import type { DmsEndpointFacts, DmsFacts } from "../../core/preflight/model.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { endless, listingPagesMax } from "./replication-task-reading.ts";
import { awsFailure } from "./store-failure.ts";

type Sdk = typeof import("@aws-sdk/client-database-migration-service");
const nothingThere = "ResourceNotFoundFault";

/** Everything of DMS in the account and region that preflight judges. Fails with RoundtripError; only reads. */
export async function readDmsFacts(settings: ClientSettings = {}): Promise<DmsFacts> {
  const sdk = await import("@aws-sdk/client-database-migration-service");
  const client = new sdk.DatabaseMigrationServiceClient(clientOptions(settings));
  try {
    const [instances, tasks, endpoints, quotas] = await Promise.all([
      listInstances(sdk, client),
      listTasks(sdk, client),
      listEndpoints(sdk, client),
      listQuotas(sdk, client),
    ]);
    return { instances, tasks, endpoints, quotas };
  } finally {
    client.destroy();
  }
}

async function listInstances(
  sdk: Sdk,
  client: DatabaseMigrationServiceClient,
): Promise<DmsFacts["instances"]> {
  const pages = sdk.paginateDescribeReplicationInstances({ client }, {});
  const found = await collect("replication instances", pages, (page) => page.ReplicationInstances);
  return found.map((each) => ({
    arn: each.ReplicationInstanceArn ?? "",
    id: each.ReplicationInstanceIdentifier ?? "",
    engineVersion: each.EngineVersion ?? "",
    status: each.ReplicationInstanceStatus ?? "",
  }));
}

async function listTasks(sdk: Sdk, client: DatabaseMigrationServiceClient): Promise<DmsFacts["tasks"]> {
  const pages = sdk.paginateDescribeReplicationTasks({ client }, { WithoutSettings: true });
  const found = await collect("replication tasks", pages, (page) => page.ReplicationTasks);
  return found.map((each) => ({
    id: each.ReplicationTaskIdentifier ?? "",
    instanceArn: each.ReplicationInstanceArn ?? "",
    endpointArns: [each.SourceEndpointArn ?? "", each.TargetEndpointArn ?? ""],
  }));
}

async function listEndpoints(sdk: Sdk, client: DatabaseMigrationServiceClient): Promise<DmsEndpointFacts[]> {
  const pages = sdk.paginateDescribeEndpoints({ client }, {});
  return (await collect("endpoints", pages, (page) => page.Endpoints)).map(readEndpoint);
}

async function listQuotas(sdk: Sdk, client: DatabaseMigrationServiceClient): Promise<DmsFacts["quotas"]> {
  try {
    const { AccountQuotas } = await client.send(new sdk.DescribeAccountAttributesCommand({}));
    return (AccountQuotas ?? []).map(({ AccountQuotaName: name = "", Used: used = 0, Max: max = 0 }) => ({
      name,
      used,
      max,
    }));
  } catch (error) {
    throw unread(error, "quotas");
  }
}

/** Every page, a bounded number of them; nothing where DMS says that nothing matches. */
async function collect<Page, Item>(
  what: string,
  pages: AsyncIterable<Page>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): Promise<Item[]> {
  const items: Item[] = [];
  let count = 0;
  try {
    for await (const page of pages) {
      items.push(...(itemsOf(page) ?? []));
      count += 1;
      if (count > listingPagesMax) throw endless(`list DMS's ${what}`);
    }
  } catch (error) {
    if (awsFailure(error).name === nothingThere) return items;
    throw unread(error, what);
  }
  return items;
}

function unread(error: unknown, what: string): Error {
  const wayOut = "check the region, and that the role may call dms:Describe*";
  return awsError(error, { what: `read DMS's ${what}`, expected: "an answer", wayOut });
}

/** The settings preflight looks at; never a password. */
function readEndpoint(endpoint: Endpoint): DmsEndpointFacts {
  const mongodb = endpoint.MongoDbSettings;
  const settings = mongodb ?? endpoint.DocDbSettings;
  const secret = settings?.SecretsManagerSecretId;
  const username = endpoint.Username ?? settings?.Username;
  return {
    id: endpoint.EndpointIdentifier ?? "",
    arn: endpoint.EndpointArn ?? "",
    type: endpoint.EndpointType?.toLowerCase() === "source" ? "source" : "target",
    engine: endpoint.EngineName ?? "",
    tls: (endpoint.SslMode ?? "none") !== "none",
    ...(secret ? { secret } : {}),
    ...(username && !secret ? { username } : {}),
    ...(mongodb?.NestingLevel ? { nestingLevel: mongodb.NestingLevel } : {}),
    ...(mongodb?.ExtractDocId ? { extractDocId: mongodb.ExtractDocId } : {}),
    ...(mongodb?.AuthMechanism ? { authMechanism: mongodb.AuthMechanism } : {}),
    ...(mongodb?.AuthSource ? { authSource: mongodb.AuthSource } : {}),
  };
}
