/** DocumentDB: clusters, instances and groups as objects. What they would run is the documentdb stand-in. */
import { isUnknown, text, type Value, type Values } from "../../values.ts";
import { type Made, type StoredType, stored } from "./resource.ts";

const source = "github.com/hashicorp/terraform-provider-aws internal/service/docdb";
const identifierPatterns = [
  { pattern: /^[0-9a-z-]+$/, says: "only lowercase alphanumeric characters and hyphens allowed" },
  { pattern: /^[a-z]/, says: "first character must be a letter" },
  { pattern: /^(?!.*--)/, says: "cannot contain two consecutive hyphens" },
  { pattern: /[^-]$/, says: "cannot end with a hyphen" },
];
const days = "(mon|tue|wed|thu|fri|sat|sun)";
const time = "([01]\\d|2[0-3]):[0-5]\\d";
const weekly = [
  {
    pattern: new RegExp(`^${days}:${time}-${days}:${time}$`, "i"),
    says: 'must satisfy the format of "ddd:hh24:mi-ddd:hh24:mi"',
  },
];
const daily = [
  { pattern: new RegExp(`^${time}-${time}$`), says: 'must satisfy the format of "hh24:mi-hh24:mi"' },
];
const sameLetters = (before: string, after: string) => before.toLowerCase() === after.toLowerCase();

function arn({ region, account }: Made, kind: string, id: string): string {
  return `arn:aws:rds:${region}:${account}:${kind}:${id}`;
}

/** Where the cluster of this sandbox answers; without one a name of AWS's form that leads nowhere. */
function address(id: string, { region }: Made, kind: string): string {
  return process.env.SANDBOX_DOCUMENTDB_HOST ?? `${id}.${kind}-sandbox.${region}.docdb.amazonaws.com`;
}

function clusterComputed(values: Values, id: string, made: Made): Values {
  const key = arn(made, "secret", id);
  const isManaged = values.manage_master_user_password === true;
  return {
    cluster_identifier: id,
    arn: arn(made, "cluster", id),
    cluster_resource_id: `cluster-${made.random(26).toUpperCase()}`,
    endpoint: address(id, made, "cluster"),
    reader_endpoint: address(id, made, "cluster-ro"),
    hosted_zone_id: "ZNKXH85TT8WVW",
    availability_zones: ["a", "b", "c"].map((letter) => `${made.region}${letter}`),
    engine_version: "5.0.0",
    db_subnet_group_name: "default",
    db_cluster_parameter_group_name: "default.docdb5.0",
    network_type: "IPV4",
    preferred_backup_window: "00:00-00:30",
    preferred_maintenance_window: "sun:05:00-sun:05:30",
    master_user_secret: isManaged ? [{ kms_key_id: "", secret_arn: key, secret_status: "active" }] : [],
  };
}

const cluster: StoredType = {
  rules: {
    source: `${source}/cluster.go, validate.go`,
    forceNew: [
      ...["availability_zones", "cluster_identifier", "cluster_identifier_prefix", "db_subnet_group_name"],
      ...[
        "engine",
        "kms_key_id",
        "master_username",
        "port",
        "restore_to_point_in_time",
        "snapshot_identifier",
      ],
      "storage_encrypted",
    ],
    defaults: {
      backup_retention_period: 1,
      copy_tags_to_snapshot: false,
      engine: "docdb",
      port: 27_017,
      skip_final_snapshot: false,
    },
    oneOf: {
      engine: ["docdb"],
      enabled_cloudwatch_logs_exports: ["audit", "profiler"],
      network_type: ["IPV4", "DUAL"],
      storage_type: ["standard", "iopt1"],
    },
    between: { backup_retention_period: [0, 35], port: [1150, 65_535] },
    pattern: {
      cluster_identifier: identifierPatterns,
      final_snapshot_identifier: [
        { pattern: /^[0-9A-Za-z-]+$/, says: "only alphanumeric characters and hyphens allowed" },
        { pattern: /^(?!.*--)/, says: "cannot contain two consecutive hyphens" },
        { pattern: /[^-]$/, says: "cannot end in a hyphen" },
      ],
      preferred_backup_window: daily,
      preferred_maintenance_window: weekly,
    },
    sameAs: { preferred_maintenance_window: sameLetters },
    conflicts: [
      ["cluster_identifier", "cluster_identifier_prefix"],
      ["manage_master_user_password", "master_password", "master_password_wo"],
      ["restore_to_point_in_time", "snapshot_identifier"],
    ],
    check: ({ master_password_wo: password, master_password_wo_version: version }) =>
      (password === null) === (version === null)
        ? []
        : [
            {
              path: password === null ? "master_password_wo_version" : "master_password_wo",
              says: "master_password_wo and master_password_wo_version must be specified together",
            },
          ],
  },
  id: (values, made) => made.name(values, "cluster_identifier"),
  computed: clusterComputed,
  keep({ deletion_protection: isProtected, skip_final_snapshot: skip, final_snapshot_identifier: snapshot }) {
    if (isProtected === true)
      return "InvalidParameterCombination: Cannot delete protected Cluster, please disable deletion protection and try again.";
    return skip === true || text(snapshot)
      ? undefined
      : "final_snapshot_identifier is required when skip_final_snapshot is false";
  },
};

const instance: StoredType = {
  rules: {
    source: `${source}/cluster_instance.go`,
    forceNew: ["availability_zone", "cluster_identifier", "engine", "identifier", "identifier_prefix"],
    defaults: { auto_minor_version_upgrade: true, engine: "docdb", promotion_tier: 0 },
    oneOf: { engine: ["docdb"] },
    between: { promotion_tier: [0, 15] },
    pattern: { identifier: identifierPatterns, preferred_maintenance_window: weekly },
    sameAs: { preferred_maintenance_window: sameLetters },
    conflicts: [["identifier", "identifier_prefix"]],
  },
  id: (values, made) => made.name(values, "identifier"),
  computed: (_values, id, made) => ({
    identifier: id,
    arn: arn(made, "db", id),
    dbi_resource_id: `db-${made.random(26).toUpperCase()}`,
    endpoint: address(id, made, "instance"),
    port: 27_017,
    engine_version: "5.0.0",
    availability_zone: `${made.region}a`,
    ca_cert_identifier: "rds-ca-rsa2048-g1",
    db_subnet_group_name: "default",
    preferred_backup_window: "00:00-00:30",
    preferred_maintenance_window: "sun:05:00-sun:05:30",
    publicly_accessible: false,
    storage_encrypted: true,
    writer: true,
  }),
};

/** The live values of a parameter group are read by their names. */
function parameterValue(parameters: Value | undefined, name: string): string | undefined {
  if (!Array.isArray(parameters) || isUnknown(parameters)) return undefined;
  const found = (parameters as readonly Values[]).find((each) => each.name === name);
  return text(found?.value);
}

const parameterGroup: StoredType = {
  rules: {
    source: `${source}/cluster_parameter_group.go; retention: DocumentDB developer guide, change streams`,
    forceNew: ["name", "name_prefix", "family", "description"],
    defaults: { description: "Managed by Terraform", "parameter.apply_method": "pending-reboot" },
    oneOf: { "parameter.apply_method": ["immediate", "pending-reboot"] },
    conflicts: [["name", "name_prefix"]],
    check({ parameter }) {
      const retention = parameterValue(parameter, "change_stream_log_retention_duration");
      const seconds = Number(retention);
      if (retention === undefined || (seconds >= 3600 && seconds <= 604_800)) return [];
      return [
        {
          path: "parameter",
          says: `change_stream_log_retention_duration must be 3600 to 604800 seconds, got ${retention}`,
        },
      ];
    },
  },
  id: (values, made) => made.name(values),
  computed: (_values, id, made) => ({ name: id, arn: arn(made, "cluster-pg", id) }),
};

const subnetGroup: StoredType = {
  rules: {
    source: `${source}/subnet_group.go`,
    forceNew: ["name", "name_prefix"],
    defaults: { description: "Managed by Terraform" },
    conflicts: [["name", "name_prefix"]],
  },
  id: (values, made) => made.name(values),
  computed: (_values, id, made) => ({
    name: id,
    arn: arn(made, "subgrp", id),
    supported_network_types: ["IPV4"],
  }),
};

export const documentdbTypes = {
  aws_docdb_cluster: stored(cluster),
  aws_docdb_cluster_instance: stored(instance),
  aws_docdb_cluster_parameter_group: stored(parameterGroup),
  aws_docdb_subnet_group: stored(subnetGroup),
};
