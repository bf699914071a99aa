import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsFunctions } from "../../adapters/aws/functions.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createParameters } from "../../adapters/aws/parameters.ts";
import { readDmsFacts } from "../../adapters/aws/replication-survey.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import { currentKey, preflightsPrefix } from "../../core/failback/layout.ts";
import type { RunnerFacts } from "../../core/preflight/aws.ts";
import { endpointsOf } from "../../core/preflight/dms.ts";
import type { DeclaredFacts, DmsFacts, Fact, HostFacts } from "../../core/preflight/model.ts";
import type { PreflightFacts } from "../../core/preflight/report.ts";
import type { ProvisionRequest } from "../../core/provision/model.ts";
import type { Tasks } from "../../core/tasks/tasks.ts";
import { operationsInstance, readFromHost } from "../../runbooks/steps/inspection.ts";
import schema from "../../schemas/preflight-facts.schema.json" with { type: "json" };
import { loadEnvironment } from "./environment.ts";

/** The value, or why there is none; a signal that ends the run goes through. */
async function fact<T>(read: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "interrupted") throw error;
    const failure = error instanceof RoundtripError ? `${error.what}: ${error.got}` : String(error);
    return { unknown: failure };
  }
}

/** Asks AWS, and the host for what it alone can see. Nothing is changed; what can't be read says why in its place. */
export async function gatherFacts(name: string, tasks: Tasks): Promise<PreflightFacts> {
  const takenAt = new Date();
  const environment = await fact(() => loadEnvironment(createParameters(), name));
  if ("unknown" in environment) {
    const why = { unknown: "the environment is not published" };
    const runner = {
      environment: { unknown: environment.unknown },
      bucket: why,
      instance: why,
      createUserDb: why,
    };
    const dms = await fact(() => readDmsFacts());
    const declared = declaredBy(tasks, undefined);
    return { environment: name, takenAt, declared, runner, host: why, instanceId: "the host", dms };
  }
  const { value } = environment;
  const declared = declaredBy(tasks, value);
  const dms = await fact(() => readDmsFacts({ region: value.region }));
  const [runner, host] = await Promise.all([askAws(name, value), fact(() => askHost(value, declared, dms))]);
  return { environment: name, takenAt, declared, runner, host, instanceId: operationsInstance(value), dms };
}

function declaredBy({ tasks }: Tasks, environment: Environment | undefined): DeclaredFacts {
  return {
    taskIds: tasks.map(({ id }) => id),
    databases: [...new Set(tasks.map(({ database }) => database))],
    namespaces: tasks.flatMap(({ database, collections }) =>
      collections.map((each) => `${database}.${each.name}`),
    ),
    dmsTargetUser: environment?.documentdb.replicationUser.name ?? "",
    applicationUsers: environment?.documentdb.applicationUsers.map((user) => user.name) ?? [],
  };
}

async function askAws(name: string, environment: Environment): Promise<RunnerFacts> {
  const { region, bucket, createUserDbFunction } = environment;
  const store = createObjectStore({ bucket, region });
  const [bucketFact, instance, createUserDb] = await Promise.all([
    fact(async () => {
      await store.head(currentKey);
      return bucket;
    }),
    fact(() => new AwsInstances({ region }).state(operationsInstance(environment))),
    dryRun(environment.environment, region, createUserDbFunction),
  ]);
  return { environment: { value: name }, bucket: bucketFact, instance, createUserDb };
}

/** Declares nothing and changes nothing: it proves the function's secrets and its way to DocumentDB. */
async function dryRun(
  environment: string,
  region: string,
  name: string | undefined,
): Promise<RunnerFacts["createUserDb"]> {
  if (!name) return { unknown: "the environment names no function" };
  const request: ProvisionRequest = { version: 1, environment, databases: [], dryRun: true };
  try {
    await new AwsFunctions({ region }).invoke(name, request);
    return { value: { name } };
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "interrupted") throw error;
    const failure = `${error.what}: ${error.got}`;
    // The function itself said what is wrong; anything else is no word about what it would say.
    return /^(un)?handled error\b/.test(error.got) ? { value: { name, failure } } : { unknown: failure };
  }
}

function askHost(environment: Environment, declared: DeclaredFacts, dms: Fact<DmsFacts>): Promise<HostFacts> {
  const { region, bucket } = environment;
  const all = "value" in dms ? endpointsOf(dms.value, declared) : [];
  const source = all.find(({ type, engine }) => type === "source" && engine === "mongodb");
  return readFromHost<HostFacts>(
    new AwsCommands({ region }),
    createObjectStore({ bucket, region }),
    environment,
    {
      action: "preflight",
      parameters: {
        databases: declared.databases.join(",") || "*",
        sourceSecret: source?.secret ?? "-",
        sourceUser: source?.username ?? "-",
        sourceAuthDatabase: source?.authSource || "admin",
      },
      prefix: preflightsPrefix,
      schema,
    },
  );
}
