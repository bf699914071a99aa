/** An old state as `terraform show -json` gives it, for tests. */

type Json = Record<string, unknown>;

export interface OldObject {
  readonly address: string;
  readonly type: string;
  readonly values: Json;
  readonly sensitive?: Json;
  readonly tainted?: boolean;
}

export const arn = (kind: string, id: string) =>
  `arn:aws:dms:us-east-1:123456789012:${kind}:${id.toUpperCase()}`;

export function rule(database: string, collection: string, more: Json = {}): Json {
  const id = `${database}.${collection}`;
  return {
    "rule-type": "selection",
    "rule-id": String([...id].reduce((sum, each) => (sum * 31 + each.charCodeAt(0)) % 99_991, 7)),
    "rule-name": id,
    "object-locator": { "schema-name": database, "table-name": collection },
    "rule-action": "explicit",
    ...more,
  };
}

export function task(id: string, target: string, rules: readonly Json[], more: Json = {}): OldObject {
  return {
    address: `module.domain5_dms.aws_dms_replication_task.replication_task["${id}"]`,
    type: "aws_dms_replication_task",
    values: {
      id: id.toLowerCase(),
      replication_task_id: id,
      replication_task_arn: arn("task", id),
      migration_type: "full-load-and-cdc",
      source_endpoint_arn: arn("endpoint", "mongodb"),
      target_endpoint_arn: arn("endpoint", target),
      replication_instance_arn: arn("rep", "mover"),
      table_mappings: JSON.stringify({ rules }),
      replication_task_settings: "{}",
      ...more,
    },
  };
}

export function source(more: Json = {}, sensitive: Json = {}): OldObject {
  return {
    address: "module.domain5_dms.aws_dms_endpoint.source",
    type: "aws_dms_endpoint",
    values: {
      id: "mongodb",
      endpoint_id: "mongodb",
      endpoint_arn: arn("endpoint", "mongodb"),
      endpoint_type: "source",
      engine_name: "mongodb",
      server_name: "mongodb.test",
      port: 27017,
      username: "reader",
      password: "read-secret",
      ssl_mode: "none",
      mongodb_settings: [
        {
          auth_mechanism: "scram-sha-1",
          auth_source: "admin",
          extract_doc_id: "true",
          nesting_level: "none",
        },
      ],
      ...more,
    },
    sensitive: { password: true, ...sensitive },
  };
}

export function target(id: string, database: string, more: Json = {}): OldObject {
  return {
    address: `module.domain5_dms.aws_dms_endpoint.target["${id}"]`,
    type: "aws_dms_endpoint",
    values: {
      id,
      endpoint_id: id,
      endpoint_arn: arn("endpoint", id),
      endpoint_type: "target",
      engine_name: "docdb",
      database_name: database,
      server_name: "documentdb.test",
      port: 27017,
      username: "writer",
      password: "write-secret",
      ssl_mode: "none",
      ...more,
    },
    sensitive: { password: true },
  };
}

export function stateText(...objects: readonly OldObject[]): string {
  const resources = objects.map(({ address, type, values, sensitive = {}, tainted }) => ({
    address,
    mode: "managed",
    type,
    values,
    sensitive_values: sensitive,
    ...(tainted ? { tainted } : {}),
  }));
  return JSON.stringify({
    format_version: "1.0",
    terraform_version: "1.5.7",
    values: { root_module: { resources: [], child_modules: [{ address: "module.domain5_dms", resources }] } },
  });
}

/** The old tasks file that says the same as these tasks. */
export function tasksText(...tasks: readonly OldObject[]): string {
  return JSON.stringify(
    tasks.map(({ values }) => ({
      task_id: values.replication_task_id,
      "table-mappings": JSON.parse(String(values.table_mappings)),
      target_endpoint_key: "",
    })),
  );
}
