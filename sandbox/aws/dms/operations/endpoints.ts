/** Endpoints: where tasks read and write. */
import { alreadyExists, invalidCombination, invalidState, invalidValue, notFound } from "../faults.ts";
import {
  filtered,
  hasFilters,
  type Input,
  identifier,
  optionalNumber,
  optionalText,
  page,
  randomArn,
  record,
  text,
} from "../input.ts";
import type { Connection, Endpoint } from "../model.ts";
import type { Dms } from "../service.ts";
import { connectionKey } from "./connections.ts";
import { saveTags } from "./tags.ts";

const settingsNames: Readonly<Record<string, string>> = {
  mongodb: "MongoDbSettings",
  docdb: "DocDbSettings",
  documentdb: "DocDbSettings",
};
const secretFields = ["Username", "Password", "ServerName", "Port"];

function settingsName(engine: string): string {
  const name = settingsNames[engine];
  if (!name) throw invalidValue(`The stand-in knows the engines mongodb and docdb, got ${engine}.`);
  return name;
}

/** Settings may hold what the top level holds; the settings win. */
function readConnection(input: Input, settings: Input, before: Connection): Connection {
  const secretId = optionalText(settings, "SecretsManagerSecretId");
  const inClear = secretFields.some((name) => input[name] !== undefined || settings[name] !== undefined);
  if (secretId !== undefined && inClear) {
    throw invalidCombination(
      "Provide either a Secrets Manager secret or user name, password, server name and port in clear text, not both.",
    );
  }
  if (secretId !== undefined) {
    if (!optionalText(settings, "SecretsManagerAccessRoleArn")) {
      throw invalidCombination("SecretsManagerAccessRoleArn must be given with SecretsManagerSecretId.");
    }
    return { secretId };
  }
  if (!inClear) return before;
  const username = optionalText(settings, "Username") ?? optionalText(input, "Username") ?? before.username;
  const password = optionalText(settings, "Password") ?? optionalText(input, "Password") ?? before.password;
  const serverName =
    optionalText(settings, "ServerName") ?? optionalText(input, "ServerName") ?? before.serverName;
  const port = optionalNumber(settings, "Port") ?? optionalNumber(input, "Port") ?? before.port;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(port === undefined ? {} : { port }),
  };
}

function withoutPassword(settings: Input): Record<string, unknown> {
  const { Password: _password, ...rest } = settings;
  return rest;
}

function apply(endpoint: Endpoint, input: Input): void {
  const settings = record(input, settingsName(endpoint.engine));
  endpoint.connection = readConnection(input, settings, endpoint.connection);
  endpoint.settings = { ...endpoint.settings, ...withoutPassword(settings) };
  const database = optionalText(settings, "DatabaseName") ?? optionalText(input, "DatabaseName");
  if (database !== undefined) endpoint.databaseName = database;
  const attributes = optionalText(input, "ExtraConnectionAttributes");
  if (attributes !== undefined) endpoint.extraConnectionAttributes = attributes;
  const certificate = optionalText(input, "CertificateArn");
  if (certificate !== undefined) endpoint.certificateArn = certificate;
  endpoint.sslMode = optionalText(input, "SslMode") ?? endpoint.sslMode;
}

function checkMode(endpoint: Endpoint): void {
  const nesting = endpoint.settings.NestingLevel ?? "none";
  if (nesting !== "none")
    throw invalidValue(
      `NestingLevel: the stand-in moves whole documents, expected none, got ${String(nesting)}.`,
    );
  const mechanism = endpoint.settings.AuthMechanism ?? "default";
  if (!["default", "mongodb_cr", "scram_sha_1"].includes(String(mechanism))) {
    throw invalidValue(
      `AuthMechanism: expected default, mongodb_cr or scram_sha_1, got ${String(mechanism)}.`,
    );
  }
}

/** As DescribeEndpoints shows it: never a password; the type in capitals. */
function describeEndpoint(endpoint: Endpoint): object {
  const { connection, engine } = endpoint;
  return {
    EndpointIdentifier: endpoint.id,
    EndpointType: endpoint.type.toUpperCase(),
    EngineName: engine,
    EngineDisplayName: engine === "mongodb" ? "MongoDB" : "Amazon DocumentDB (with MongoDB compatibility)",
    Username: connection.username,
    ServerName: connection.serverName,
    Port: connection.port,
    DatabaseName: endpoint.databaseName,
    ExtraConnectionAttributes: endpoint.extraConnectionAttributes,
    Status: endpoint.status,
    KmsKeyId: endpoint.kmsKeyId,
    EndpointArn: endpoint.arn,
    CertificateArn: endpoint.certificateArn,
    SslMode: endpoint.sslMode,
    [settingsName(engine)]: {
      ...endpoint.settings,
      Username: connection.username,
      ServerName: connection.serverName,
      Port: connection.port,
    },
  };
}

export function existingEndpoint(dms: Dms, arn: string): Endpoint {
  const endpoint = dms.store.get("endpoint", arn);
  if (!endpoint) throw notFound(`Endpoint ${arn} not found.`);
  return endpoint;
}

function createEndpoint(dms: Dms, input: Input): object {
  const id = identifier(input, "EndpointIdentifier");
  const type = text(input, "EndpointType").toLowerCase();
  if (type !== "source" && type !== "target")
    throw invalidValue(`EndpointType: expected source or target, got ${type}.`);
  if (dms.store.all("endpoint").some((each) => each.id === id))
    throw alreadyExists(`Endpoint ${id} already exists.`);
  const kmsKeyId =
    optionalText(input, "KmsKeyId") ?? `arn:aws:kms:${dms.context.region}:${dms.context.account}:key/aws-dms`;
  const arn = randomArn(dms.context, "endpoint");
  const engine = text(input, "EngineName").toLowerCase();
  const endpoint: Endpoint = {
    arn,
    id,
    type,
    engine,
    connection: {},
    sslMode: "none",
    kmsKeyId,
    settings: {},
    status: "active",
  };
  apply(endpoint, input);
  checkMode(endpoint);
  dms.store.put("endpoint", arn, endpoint);
  saveTags(dms, arn, input);
  return { Endpoint: describeEndpoint(endpoint) };
}

function modifyEndpoint(dms: Dms, input: Input): object {
  const endpoint = existingEndpoint(dms, text(input, "EndpointArn"));
  const running = dms.store
    .all("task")
    .find(
      (task) =>
        [task.sourceArn, task.targetArn].includes(endpoint.arn) &&
        ["starting", "running", "stopping"].includes(task.status),
    );
  if (running) throw invalidState(`Endpoint ${endpoint.id} is in use by the running task ${running.id}.`);
  apply(endpoint, input);
  checkMode(endpoint);
  dms.store.put("endpoint", endpoint.arn, endpoint);
  return { Endpoint: describeEndpoint(endpoint) };
}

function deleteEndpoint(dms: Dms, input: Input): object {
  const endpoint = existingEndpoint(dms, text(input, "EndpointArn"));
  const task = dms.store.all("task").find((each) => [each.sourceArn, each.targetArn].includes(endpoint.arn));
  if (task)
    throw invalidState(`Endpoint ${endpoint.id} is part of one or more ReplicationTasks: ${task.id}.`);
  endpoint.status = "deleting";
  dms.store.put("endpoint", endpoint.arn, endpoint);
  dms.later(() => {
    dms.store.delete("endpoint", endpoint.arn);
    dms.store.delete("tags", endpoint.arn);
    for (const each of dms.store.all("connection")) {
      if (each.endpointArn === endpoint.arn) dms.store.delete("connection", connectionKey(each));
    }
  });
  return { Endpoint: describeEndpoint(endpoint) };
}

function describeEndpoints(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("endpoint"), {
    "endpoint-arn": (each) => each.arn,
    "endpoint-id": (each) => each.id,
    "endpoint-type": (each) => each.type,
    "engine-name": (each) => each.engine,
  });
  if (hasFilters(input) && found.length === 0) throw notFound("No Endpoints found matching provided filters");
  const { items, Marker } = page(input, found);
  return { Endpoints: items.map(describeEndpoint), Marker };
}

export const endpointOperations = {
  CreateEndpoint: createEndpoint,
  ModifyEndpoint: modifyEndpoint,
  DeleteEndpoint: deleteEndpoint,
  DescribeEndpoints: describeEndpoints,
};
