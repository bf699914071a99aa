/** aws_dms_endpoint for MongoDB sources and DocumentDB targets. */
import type { Change, Context, Resource, Rules } from "../../resource.ts";
import { elements, isObject, isUnknown, sameValue, type Value, type Values } from "../../values.ts";
import { tagList } from "../tags.ts";
import {
  arnPattern,
  type Described,
  deleteAndWait,
  dms,
  dmsTags,
  find,
  identifierPatterns,
  updateDmsTags,
} from "./api.ts";

const engines = [
  ...["aurora", "aurora-postgresql", "aurora-postgresql-serverless", "aurora-serverless", "azuredb"],
  ...["azure-sql-managed-instance", "babelfish", "db2", "db2-zos", "dms-transfer", "docdb", "dynamodb"],
  ...["elasticsearch", "kafka", "kinesis", "mariadb", "mongodb", "mysql", "neptune", "opensearch", "oracle"],
  ...["postgres", "redis", "redshift", "redshift-serverless", "s3", "sqlserver", "sybase"],
];
const secret = ["secrets_manager_access_role_arn", "secrets_manager_arn"];

const rules: Rules = {
  source: "github.com/hashicorp/terraform-provider-aws internal/service/dms/{endpoint,consts,validate}.go",
  forceNew: ["endpoint_id", "kms_key_arn"],
  defaults: {
    "mongodb_settings.auth_mechanism": "default",
    "mongodb_settings.auth_source": "admin",
    "mongodb_settings.auth_type": "password",
    "mongodb_settings.docs_to_investigate": "1000",
    "mongodb_settings.extract_doc_id": "false",
    "mongodb_settings.nesting_level": "none",
  },
  oneOf: {
    endpoint_type: ["source", "target"],
    engine_name: engines,
    ssl_mode: ["none", "require", "verify-ca", "verify-full"],
    "mongodb_settings.auth_mechanism": ["default", "mongodb-cr", "scram-sha-1"],
    "mongodb_settings.auth_type": ["no", "password"],
    "mongodb_settings.nesting_level": ["none", "one"],
  },
  pattern: {
    endpoint_id: identifierPatterns(255),
    certificate_arn: arnPattern,
    kms_key_arn: arnPattern,
    secrets_manager_access_role_arn: arnPattern,
  },
  conflicts: ["password", "port", "server_name", "username"].flatMap((name) =>
    secret.map((other) => [name, other]),
  ),
  check: ({ engine_name: engine, mongodb_settings: settings = null }) =>
    engine === "mongodb" && !isUnknown(settings) && elements(settings).length === 0
      ? [{ path: "mongodb_settings", says: 'mongodb_settings must be set when engine_name = "mongodb"' }]
      : [],
};

/** The API's names of the settings block's arguments. */
const settingFields = {
  auth_mechanism: "AuthMechanism",
  auth_source: "AuthSource",
  auth_type: "AuthType",
  docs_to_investigate: "DocsToInvestigate",
  extract_doc_id: "ExtractDocId",
  nesting_level: "NestingLevel",
} as const;

/** The provider writes the mechanisms with hyphens, the API with underscores. */
function mechanism(value: unknown, from: string, to: string): unknown {
  return typeof value === "string" ? value.replaceAll(from, to) : value;
}

function topLevel(values: Values): Record<string, Value> {
  const { username, password, server_name, port, database_name } = values;
  const fields = { Username: username, Password: password, ServerName: server_name, Port: port };
  return Object.fromEntries(
    Object.entries({ ...fields, DatabaseName: database_name }).filter(
      ([, value]) => value !== null && value !== undefined,
    ),
  ) as Record<string, Value>;
}

/**
 * How the endpoint is reached. As the real provider: engines it has no block for, docdb among them, get what stands
 * at the top level and never the secret.
 */
function connection(values: Values): object {
  if (values.engine_name !== "mongodb") return topLevel(values);
  const [block] = elements(values.mongodb_settings);
  const settings = Object.fromEntries(
    Object.entries(settingFields).map(([name, field]) => [field, isObject(block) ? block[name] : null]),
  );
  const shared = {
    ...settings,
    AuthMechanism: mechanism(settings.AuthMechanism, "-", "_"),
    DatabaseName: values.database_name ?? undefined,
  };
  if (values.secrets_manager_arn !== null)
    return {
      MongoDbSettings: {
        ...shared,
        SecretsManagerAccessRoleArn: values.secrets_manager_access_role_arn,
        SecretsManagerSecretId: values.secrets_manager_arn,
      },
    };
  return { ...topLevel(values), MongoDbSettings: { ...shared, ...topLevel(values) } };
}

/** Arguments that the API takes under one name. */
const plainFields = {
  certificate_arn: "CertificateArn",
  extra_connection_attributes: "ExtraConnectionAttributes",
  ssl_mode: "SslMode",
} as const;

function plain(values: Values): Record<string, Value> {
  const given = Object.entries(plainFields).filter(
    ([name]) => values[name] !== null && !isUnknown(values[name]),
  );
  return Object.fromEntries(given.map(([name, field]) => [field, values[name] ?? null]));
}

function findEndpoint(context: Context, values: Values, id: string): Promise<Described | undefined> {
  const lookup = { operation: "DescribeEndpoints", list: "Endpoints", filter: "endpoint-id" };
  return find(context, values, lookup, id);
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" && value !== 0 ? value : null;
}

function stateOf(found: Described): Record<string, Value> {
  const engine = String(found.EngineName);
  const settings = found.MongoDbSettings as Described | undefined;
  const from = engine === "mongodb" && settings ? settings : found;
  const block = settings && engine === "mongodb" ? [blockOf(settings)] : [];
  return {
    id: String(found.EndpointIdentifier),
    certificate_arn: textOrNull(found.CertificateArn),
    database_name: textOrNull(from.DatabaseName ?? found.DatabaseName),
    endpoint_arn: textOrNull(found.EndpointArn),
    endpoint_id: textOrNull(found.EndpointIdentifier),
    endpoint_type: String(found.EndpointType).toLowerCase(),
    engine_name: engine,
    extra_connection_attributes: textOrNull(found.ExtraConnectionAttributes) ?? "",
    kms_key_arn: textOrNull(found.KmsKeyId),
    mongodb_settings: block,
    port: numberOrNull(from.Port),
    secrets_manager_access_role_arn: textOrNull(settings?.SecretsManagerAccessRoleArn),
    secrets_manager_arn: textOrNull(settings?.SecretsManagerSecretId),
    server_name: textOrNull(from.ServerName),
    ssl_mode: textOrNull(found.SslMode),
    username: textOrNull(from.Username),
  };
}

function blockOf(settings: Described): Values {
  const values = Object.entries(settingFields).map(([name, field]) => {
    const value = name === "auth_mechanism" ? mechanism(settings[field], "_", "-") : settings[field];
    return [name, textOrNull(value) ?? rules.defaults?.[`mongodb_settings.${name}`] ?? null];
  });
  return Object.fromEntries(values) as Values;
}

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const arn = String(prior.endpoint_arn);
  const changed = Object.keys(planned).filter((name) => !sameValue(prior[name], planned[name]));
  if (changed.some((name) => !["tags", "tags_all", "pause_replication_tasks"].includes(name))) {
    await dms(context, prior, "ModifyEndpoint", {
      EndpointArn: arn,
      EndpointType: planned.endpoint_type,
      EngineName: planned.engine_name,
      ...plain(planned),
      ...connection(planned),
    });
  }
  await updateDmsTags(context, prior, planned, arn);
  return undefined;
}

export const endpoint: Resource = {
  rules,
  async create({ planned }, context) {
    const kms = isUnknown(planned.kms_key_arn) ? {} : { KmsKeyId: planned.kms_key_arn ?? undefined };
    await dms(context, planned, "CreateEndpoint", {
      EndpointIdentifier: planned.endpoint_id,
      EndpointType: planned.endpoint_type,
      EngineName: planned.engine_name,
      Tags: tagList(planned),
      ...kms,
      ...plain(planned),
      ...connection(planned),
    });
    return { id: planned.endpoint_id ?? null };
  },
  async read(state, context) {
    const found = await findEndpoint(context, state, String(state.id));
    if (!found || found.Status === "deleting") return undefined;
    const values = stateOf(found);
    return { ...values, ...(await dmsTags(context, state, String(values.endpoint_arn))) };
  },
  update,
  delete: (state, context) =>
    deleteAndWait(
      () => dms(context, state, "DeleteEndpoint", { EndpointArn: state.endpoint_arn }),
      `DMS Endpoint (${state.id})`,
      () => findEndpoint(context, state, String(state.id)),
    ),
};
