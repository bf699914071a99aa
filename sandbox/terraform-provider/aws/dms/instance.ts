/** aws_dms_replication_instance */
import type { Context, Resource } from "../../resource.ts";
import { isUnknown, sameValue, type Value, type Values } from "../../values.ts";
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
  waitForStatus,
} from "./api.ts";

/** Arguments and their fields in the API; those an existing instance can change. */
const modifiable = {
  allocated_storage: "AllocatedStorage",
  auto_minor_version_upgrade: "AutoMinorVersionUpgrade",
  engine_version: "EngineVersion",
  multi_az: "MultiAZ",
  network_type: "NetworkType",
  preferred_maintenance_window: "PreferredMaintenanceWindow",
  replication_instance_class: "ReplicationInstanceClass",
} as const;
const atCreation = {
  ...modifiable,
  availability_zone: "AvailabilityZone",
  dns_name_servers: "DnsNameServers",
  kms_key_arn: "KmsKeyId",
  publicly_accessible: "PubliclyAccessible",
} as const;

function findInstance(context: Context, values: Values): Promise<Described | undefined> {
  const lookup = {
    operation: "DescribeReplicationInstances",
    list: "ReplicationInstances",
    filter: "replication-instance-id",
  };
  return find(context, values, lookup, String(values.id));
}

function fields(values: Values, names: Readonly<Record<string, string>>): Record<string, Value> {
  const given = Object.entries(names).filter(([name]) => values[name] !== null && !isUnknown(values[name]));
  return Object.fromEntries(given.map(([name, field]) => [field, values[name] ?? null]));
}

function known(value: Value | undefined): Value | undefined {
  return value === null || isUnknown(value) ? undefined : value;
}

const windowPattern =
  /^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$/i;

export const instance: Resource = {
  rules: {
    source:
      "github.com/hashicorp/terraform-provider-aws internal/service/dms/{replication_instance,validate}.go",
    forceNew: [
      ...["availability_zone", "kms_key_arn", "publicly_accessible"],
      ...["replication_instance_id", "replication_subnet_group_id"],
    ],
    between: { allocated_storage: [5, 6144] },
    oneOf: { network_type: ["IPV4", "DUAL"] },
    pattern: {
      replication_instance_id: identifierPatterns(63),
      kms_key_arn: arnPattern,
      preferred_maintenance_window: [
        { pattern: windowPattern, says: 'must satisfy the format of "ddd:hh24:mi-ddd:hh24:mi"' },
      ],
    },
  },
  async create({ planned }, context) {
    await dms(context, planned, "CreateReplicationInstance", {
      ReplicationInstanceIdentifier: planned.replication_instance_id,
      ReplicationSubnetGroupIdentifier: known(planned.replication_subnet_group_id),
      VpcSecurityGroupIds: known(planned.vpc_security_group_ids),
      Tags: tagList(planned),
      ...fields(planned, atCreation),
    });
    return { id: String(planned.replication_instance_id).toLowerCase() };
  },
  async settle(state, context) {
    const what = `DMS Replication Instance (${state.id})`;
    await waitForStatus(what, () => findInstance(context, state), "ReplicationInstanceStatus", ["available"]);
  },
  async read(state, context) {
    const found = await findInstance(context, state);
    if (!found || found.ReplicationInstanceStatus === "deleting") return undefined;
    const arn = String(found.ReplicationInstanceArn);
    const group = found.ReplicationSubnetGroup as Described | undefined;
    const securityGroups = (found.VpcSecurityGroups ?? []) as { VpcSecurityGroupId: string }[];
    const plain = Object.entries(atCreation).map(([name, field]) => [name, (found[field] as Value) ?? null]);
    return {
      ...(Object.fromEntries(plain) as Values),
      id: String(found.ReplicationInstanceIdentifier),
      replication_instance_id: String(found.ReplicationInstanceIdentifier),
      replication_instance_arn: arn,
      replication_instance_private_ips: (found.ReplicationInstancePrivateIpAddresses ?? []) as string[],
      replication_instance_public_ips: (found.ReplicationInstancePublicIpAddresses ?? []) as string[],
      replication_subnet_group_id: group ? String(group.ReplicationSubnetGroupIdentifier) : null,
      vpc_security_group_ids: securityGroups.map((each) => each.VpcSecurityGroupId),
      ...(await dmsTags(context, state, arn)),
    };
  },
  async update({ prior, planned }, context) {
    const arn = String(prior.replication_instance_arn);
    const changed = Object.fromEntries(
      Object.entries(modifiable).filter(([name]) => !sameValue(prior[name], planned[name])),
    );
    const groups = sameValue(prior.vpc_security_group_ids, planned.vpc_security_group_ids, true)
      ? {}
      : { VpcSecurityGroupIds: known(planned.vpc_security_group_ids) };
    const input = { ...fields(planned, changed), ...groups };
    if (Object.keys(input).length > 0)
      await dms(context, prior, "ModifyReplicationInstance", {
        ReplicationInstanceArn: arn,
        AllowMajorVersionUpgrade: planned.allow_major_version_upgrade ?? false,
        ApplyImmediately: planned.apply_immediately ?? false,
        ...input,
      });
    await updateDmsTags(context, prior, planned, arn);
    return undefined;
  },
  delete: (state, context) =>
    deleteAndWait(
      () =>
        dms(context, state, "DeleteReplicationInstance", {
          ReplicationInstanceArn: state.replication_instance_arn,
        }),
      `DMS Replication Instance (${state.id})`,
      () => findInstance(context, state),
    ),
};
