/** What Terraform does to DMS, done through DMS's API: the same changes, named the same way, with the same waiting. */
import { readFileSync } from "node:fs";
import * as dms from "@aws-sdk/client-database-migration-service";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Environment } from "../../core/failback/documents.ts";
import type { Infrastructure, InfrastructureChange } from "../../core/ports.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { tableMappings } from "../../core/tasks/mappings.ts";
import type { EnvironmentName, Tasks } from "../../core/tasks/model.ts";
import { dmsTaskSettings } from "../../core/tasks/task-settings.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { waitFor } from "./wait-for.ts";

export interface DmsInfrastructureOptions {
  readonly environment: EnvironmentName;
  /** Terraform reads it from the checkout. */
  readonly tasksFile: string;
  readonly sourceEndpointId: string;
  readonly instanceId: string;
  /** Secret of the user DMS writes with. */
  readonly targetSecret: string;
  /** A task that is deleted and made anew where only an update was planned: a provider that lies. */
  readonly replacesUnasked?: string;
  /** Rules that an adopted task keeps for as long as tasks.yaml says of it what it said at the adoption, by id. */
  readonly adoptedRules?: Readonly<Record<string, { readonly declared: string; readonly inDms: string }>>;
}

interface Wanted {
  readonly endpoint: string;
  readonly database: string;
  readonly mappings: string;
  readonly settings: string;
}

const role = "arn:aws:iam::000000000000:role/dms-secrets";
const targetPrefix = "documentdb-";

export class DmsInfrastructure implements Infrastructure {
  readonly #options: DmsInfrastructureOptions;
  readonly #client = new dms.DatabaseMigrationServiceClient({});
  readonly #ssm = new SSMClient({});
  #planned = false;

  constructor(options: DmsInfrastructureOptions) {
    this.#options = options;
  }

  async plan(): Promise<readonly InfrastructureChange[]> {
    const wanted = this.#wanted();
    const tasks = await this.#tasks();
    const endpoints = await this.#endpoints();
    const declared = new Set([...wanted.values()].map(({ endpoint }) => endpoint));
    const changes: InfrastructureChange[] = [];
    for (const id of declared) if (!endpoints.has(id)) changes.push(endpointChange(id, "create"));
    for (const id of endpoints.keys())
      if (id.startsWith(targetPrefix) && !declared.has(id)) changes.push(endpointChange(id, "delete"));
    for (const [id, want] of wanted) {
      const change = taskChange(id, want, tasks.get(id), endpoints);
      if (change) changes.push(change);
    }
    for (const id of tasks.keys()) if (!wanted.has(id)) changes.push(change(id, "delete", []));
    if (changes.length === 0 && (await this.#published()) !== publishedOf(tasks))
      changes.push({
        address: "aws_ssm_parameter.environment",
        type: "aws_ssm_parameter",
        action: "update",
        attributes: ["value"],
      });
    this.#planned = true;
    return changes;
  }

  async apply(): Promise<void> {
    if (!this.#planned) throw new Error("nothing was planned");
    const wanted = this.#wanted();
    const endpoints = await this.#makeEndpoints(wanted);
    let tasks = await this.#tasks();
    for (const [id, task] of tasks) {
      const want = wanted.get(id);
      if (
        !want ||
        endpoints.get(want.endpoint) !== task.TargetEndpointArn ||
        id === this.#options.replacesUnasked
      )
        await this.#delete(task.ReplicationTaskArn!);
    }
    tasks = await this.#tasks();
    for (const [id, want] of wanted) {
      const found = tasks.get(id);
      if (!found) await this.#create(id, want, endpoints);
      else if (found.TableMappings !== want.mappings || found.ReplicationTaskSettings !== want.settings)
        await this.#modify(found.ReplicationTaskArn!, want);
    }
    const used = new Set([...wanted.values()].map(({ endpoint }) => endpoint));
    for (const [id, EndpointArn] of endpoints)
      if (id.startsWith(targetPrefix) && !used.has(id))
        await this.#client.send(new dms.DeleteEndpointCommand({ EndpointArn }));
    await this.#publish();
  }

  #wanted(): Map<string, Wanted> {
    const { tasksFile, environment } = this.#options;
    const tasks: Tasks = parseTasks(readFileSync(tasksFile, "utf8"), tasksFile);
    return new Map(
      tasks.tasks.map((task) => {
        const { endpoint, settings } = effectiveTask(tasks, task, environment);
        const declared = JSON.stringify(tableMappings(task, settings.partitions));
        const kept = this.#options.adoptedRules?.[task.id];
        const mappings = kept?.declared === declared ? kept.inDms : declared;
        return [
          task.id,
          {
            endpoint,
            database: task.database,
            mappings,
            settings: JSON.stringify(dmsTaskSettings(settings)),
          },
        ];
      }),
    );
  }

  /** As Terraform's refresh: a task that is being deleted is none. */
  async #tasks(): Promise<Map<string, dms.ReplicationTask>> {
    const { ReplicationTasks = [] } = await this.#client.send(new dms.DescribeReplicationTasksCommand({}));
    const found = ReplicationTasks.filter(({ Status }) => Status !== "deleting");
    return new Map(found.map((task) => [task.ReplicationTaskIdentifier!, task]));
  }

  async #endpoints(): Promise<Map<string, string>> {
    const { Endpoints = [] } = await this.#client.send(new dms.DescribeEndpointsCommand({}));
    return new Map(
      Endpoints.map(({ EndpointIdentifier, EndpointArn }) => [EndpointIdentifier!, EndpointArn!]),
    );
  }

  async #makeEndpoints(wanted: ReadonlyMap<string, Wanted>): Promise<Map<string, string>> {
    const endpoints = await this.#endpoints();
    for (const { endpoint, database } of wanted.values()) {
      if (endpoints.has(endpoint)) continue;
      const { Endpoint } = await this.#client.send(
        new dms.CreateEndpointCommand({
          EndpointIdentifier: endpoint,
          EndpointType: "target",
          EngineName: "docdb",
          DatabaseName: database,
          DocDbSettings: {
            SecretsManagerSecretId: this.#options.targetSecret,
            SecretsManagerAccessRoleArn: role,
          },
        }),
      );
      endpoints.set(endpoint, Endpoint!.EndpointArn!);
    }
    return endpoints;
  }

  async #create(id: string, want: Wanted, endpoints: ReadonlyMap<string, string>): Promise<void> {
    await this.#gone(id);
    const { ReplicationInstances = [] } = await this.#client.send(
      new dms.DescribeReplicationInstancesCommand({}),
    );
    const instance = ReplicationInstances.find(
      ({ ReplicationInstanceIdentifier }) => ReplicationInstanceIdentifier === this.#options.instanceId,
    );
    const { ReplicationTask } = await this.#client.send(
      new dms.CreateReplicationTaskCommand({
        ReplicationTaskIdentifier: id,
        SourceEndpointArn: endpoints.get(this.#options.sourceEndpointId)!,
        TargetEndpointArn: endpoints.get(want.endpoint)!,
        ReplicationInstanceArn: instance!.ReplicationInstanceArn!,
        MigrationType: "full-load-and-cdc",
        TableMappings: want.mappings,
        ReplicationTaskSettings: want.settings,
      }),
    );
    await this.#settled(ReplicationTask!.ReplicationTaskArn!);
  }

  async #modify(ReplicationTaskArn: string, want: Wanted): Promise<void> {
    await this.#client.send(
      new dms.ModifyReplicationTaskCommand({
        ReplicationTaskArn,
        TableMappings: want.mappings,
        ReplicationTaskSettings: want.settings,
      }),
    );
    await this.#settled(ReplicationTaskArn);
  }

  async #delete(ReplicationTaskArn: string): Promise<void> {
    await this.#client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn }));
    await waitFor("the task to be gone", async () => (await this.#status(ReplicationTaskArn)) === undefined);
  }

  async #gone(id: string): Promise<void> {
    await waitFor(`${id} to be gone`, async () => {
      const { ReplicationTasks = [] } = await this.#client.send(new dms.DescribeReplicationTasksCommand({}));
      return !ReplicationTasks.some(({ ReplicationTaskIdentifier }) => ReplicationTaskIdentifier === id);
    });
  }

  async #settled(arn: string): Promise<void> {
    await waitFor("the task to settle", async () =>
      ["ready", "stopped", "failed"].includes((await this.#status(arn)) ?? ""),
    );
  }

  async #status(arn: string): Promise<string | undefined> {
    const Filters = [{ Name: "replication-task-arn", Values: [arn] }];
    try {
      const answer = await this.#client.send(new dms.DescribeReplicationTasksCommand({ Filters }));
      return answer.ReplicationTasks?.[0]?.Status;
    } catch (error) {
      if ((error as Error).name === "ResourceNotFoundFault") return undefined;
      throw error;
    }
  }

  async #environment(): Promise<Environment> {
    const { Parameter } = await this.#ssm.send(new GetParameterCommand({ Name: this.#parameter }));
    return JSON.parse(Parameter!.Value!) as Environment;
  }

  get #parameter(): string {
    return `/roundtrip/${this.#options.environment}/environment`;
  }

  async #published(): Promise<string> {
    return JSON.stringify((await this.#environment()).replicationTasks);
  }

  async #publish(): Promise<void> {
    const replicationTasks = JSON.parse(publishedOf(await this.#tasks())) as Environment["replicationTasks"];
    const Value = JSON.stringify({ ...(await this.#environment()), replicationTasks });
    await this.#ssm.send(
      new PutParameterCommand({ Name: this.#parameter, Value, Type: "String", Overwrite: true }),
    );
  }
}

function publishedOf(tasks: ReadonlyMap<string, dms.ReplicationTask>): string {
  const listed = [...tasks].map(([id, { ReplicationTaskArn }]) => ({ id, arn: ReplicationTaskArn! }));
  return JSON.stringify(listed.sort((left, right) => (left.id < right.id ? -1 : 1)));
}

function change(
  id: string,
  action: InfrastructureChange["action"],
  attributes: readonly string[],
): InfrastructureChange {
  const address = `module.dms.aws_dms_replication_task.this["${id}"]`;
  return { address, type: "aws_dms_replication_task", action, identifier: id, attributes };
}

function endpointChange(id: string, action: "create" | "delete"): InfrastructureChange {
  const address = `module.dms.aws_dms_endpoint.target["${id}"]`;
  return { address, type: "aws_dms_endpoint", action, identifier: id, attributes: [] };
}

function taskChange(
  id: string,
  want: Wanted,
  found: dms.ReplicationTask | undefined,
  endpoints: ReadonlyMap<string, string>,
): InfrastructureChange | undefined {
  if (!found) return change(id, "create", []);
  if (endpoints.get(want.endpoint) !== found.TargetEndpointArn)
    return change(id, "replace", ["target_endpoint_arn"]);
  const attributes = [
    ...(found.TableMappings === want.mappings ? [] : ["table_mappings"]),
    ...(found.ReplicationTaskSettings === want.settings ? [] : ["replication_task_settings"]),
  ];
  return attributes.length > 0 ? change(id, "update", attributes) : undefined;
}
