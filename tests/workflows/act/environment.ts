/** What a published environment has besides what an apply needs: the failback host, every document, who administers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateDocumentCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import type { Environment } from "../../../core/failback/documents.ts";
import { awsEnvironment, steerAws } from "../../../sandbox/up/aws.ts";
import { type HostHandle, startHost } from "../../../sandbox/up/host.ts";
import { prepareHost } from "../../../scripts/drill/provision/host.ts";
import { ensureDatabaseTools } from "../../../scripts/setup/database-tools.ts";
import type { ApplyWorld } from "../../support/apply-world.ts";

const root = join(import.meta.dirname, "../../..");
/** The sandbox is quick: a pulse a minute, and a margin for DMS's checkpoints, would be most of the story. */
const settings = { tailMarginSeconds: 0, heartbeatSeconds: 5 };

/** Publishes the environment and puts the built worker on both hosts; gives the failback host, which is off. */
export async function completeEnvironment(apply: ApplyWorld): Promise<HostHandle> {
  const environment = await publish();
  await prepare(apply, environment, apply.sandbox.addresses.host!, "roundtrip-operations");
  await createDocuments(environment);
  return failbackHost(apply, environment);
}

/** What the published environment has besides an apply's: everybody who administers, and settings for a quick failback. */
async function publish(): Promise<Environment> {
  const ssm = new SSMClient({});
  const Name = "/roundtrip/dev/environment";
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  const environment = JSON.parse(Parameter!.Value!) as Environment;
  const administrators = [...environment.documentdb.administrators, "root"];
  // Nodes of which only the plan is shown; set up they are in tests/kafka.
  const kafka = { nodes: [1, 2, 3].map((id) => ({ id, instanceId: `i-${id}`, privateIp: `10.0.${id}.10` })) };
  const documentdb = { ...environment.documentdb, administrators };
  const published = { ...environment, documentdb, kafka, settings };
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(published), Overwrite: true }));
  return published;
}

/** The machine of an outage, off, with the worker and its units. */
async function failbackHost(apply: ApplyWorld, environment: Environment): Promise<HostHandle> {
  const { aws = "" } = apply.sandbox.addresses;
  const { instanceId } = environment;
  await steerAws(aws, "instances", {
    instanceId,
    state: "stopped",
    tags: { Name: "roundtrip-dev-failback" },
  });
  const dir = apply.sandbox.workspace.at("failback-host");
  const variables = await prepare(apply, environment, dir, "roundtrip-failback");
  return startHost({ dir, aws: { url: aws, instanceId }, environment: variables });
}

/** The built worker, its units and the published environment on a host; gives the AWS variables of its role. */
async function prepare(
  { sandbox }: ApplyWorld,
  environment: Environment,
  hostDirectory: string,
  role: string,
): Promise<Readonly<Record<string, string>>> {
  const { aws = "", mongodb = "", documentdb = "" } = sandbox.addresses;
  const awsVariables = awsEnvironment(aws, role);
  const toolsFolder = await ensureDatabaseTools();
  const { instanceId } = environment;
  await prepareHost(
    { mongodb, documentdb, aws, hostDirectory, instanceId, toolsFolder, awsVariables, settings },
    environment,
  );
  return awsVariables;
}

/** One of each action, as Terraform makes them; `inspect` is there. */
async function createDocuments({ documentPrefix }: Environment): Promise<void> {
  const ssm = new SSMClient({});
  const folder = join(root, "runbooks/documents");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "inspect.json");
  for (const file of names) {
    const Content = readFileSync(join(folder, file), "utf8");
    const Name = `${documentPrefix}-${file.replace(/\.json$/, "")}`;
    await ssm.send(
      new CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat: "JSON" }),
    );
  }
}
