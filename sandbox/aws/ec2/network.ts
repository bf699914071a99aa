/**
 * What EC2 shows of security groups, their rules, a VPC's endpoints and volumes. Terraform's provider made them as kept
 * objects (sandbox/aws/objects); nothing is played.
 */
import type { Database } from "bun:sqlite";
import { AwsError } from "../service.ts";
import { rootVolumes, tagSet } from "./describe.ts";
import type { InstanceStore } from "./instance-store.ts";
import { filtersOf, type Input, listOf, required } from "./query-input.ts";

type Attributes = Readonly<Record<string, unknown>>;

const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const tagsOf = ({ tags_all: tags }: Attributes) => (tags ?? {}) as Record<string, string>;

/** Kept objects of a type that every filter lets through; `fields` are the filters besides tags. */
function select(
  db: Database,
  types: readonly string[],
  input: Input,
  fields: Readonly<Record<string, string>>,
): { type: string; attributes: Attributes }[] {
  const rows = db
    .query<{ type: string; attributes: string }, []>("SELECT type, attributes FROM stored_objects")
    .all();
  const filters = filtersOf(input).map(({ name, values }) => {
    const attribute = fields[name];
    if (!name.startsWith("tag:") && attribute === undefined)
      throw new AwsError("InvalidParameterValue", `The filter '${name}' is invalid`);
    const shownIn = (each: Attributes) =>
      attribute === undefined ? tagsOf(each)[name.slice("tag:".length)] : text(each[attribute]);
    return (each: Attributes) => values.includes(shownIn(each) ?? "");
  });
  return rows
    .filter(({ type }) => types.includes(type))
    .map(({ type, attributes }) => ({ type, attributes: JSON.parse(attributes) as Attributes }))
    .filter(({ attributes }) => filters.every((lets) => lets(attributes)));
}

export function describeSecurityGroups(db: Database, input: Input): object {
  const found = select(db, ["aws_security_group"], input, { "group-name": "name", "vpc-id": "vpc_id" });
  return {
    securityGroupInfo: found.map(({ attributes }) => ({
      groupId: attributes.id,
      groupName: attributes.name,
      groupDescription: attributes.description,
      vpcId: attributes.vpc_id,
      tagSet: tagSet(tagsOf(attributes)),
    })),
  };
}

const egress = "aws_vpc_security_group_egress_rule";

export function describeSecurityGroupRules(db: Database, input: Input): object {
  const types = [egress, "aws_vpc_security_group_ingress_rule"];
  const found = select(db, types, input, { "group-id": "security_group_id" });
  return {
    securityGroupRuleSet: found.map(({ type, attributes }) => ({
      securityGroupRuleId: attributes.id,
      groupId: attributes.security_group_id,
      description: text(attributes.description),
      isEgress: type === egress,
      ipProtocol: attributes.ip_protocol,
      fromPort: attributes.from_port ?? -1,
      toPort: attributes.to_port ?? -1,
      cidrIpv4: text(attributes.cidr_ipv4),
      prefixListId: text(attributes.prefix_list_id),
      referencedGroupInfo: text(attributes.referenced_security_group_id)
        ? { groupId: attributes.referenced_security_group_id }
        : undefined,
      tagSet: tagSet(tagsOf(attributes)),
    })),
  };
}

/** Takes away rules of a group, named by their identifiers or by one protocol and range of IPv4 addresses. */
export function revokeSecurityGroupEgress(db: Database, input: Input): object {
  const group = required(input, "GroupId");
  const ids = listOf(input, "SecurityGroupRuleId");
  const permission = {
    protocol: input["IpPermissions.1.IpProtocol"],
    addresses: input["IpPermissions.1.IpRanges.1.CidrIp"],
  };
  const rules = select(db, [egress], {}, {}).filter(
    ({ attributes }) => attributes.security_group_id === group,
  );
  const revoked = rules.filter(({ attributes }) =>
    ids.length > 0
      ? ids.includes(String(attributes.id))
      : attributes.ip_protocol === permission.protocol && attributes.cidr_ipv4 === permission.addresses,
  );
  if (revoked.length < Math.max(ids.length, 1))
    throw ids.length > 0
      ? new AwsError(
          "InvalidSecurityGroupRuleId.NotFound",
          `The security group rule ID '${ids.join()}' does not exist`,
        )
      : new AwsError(
          "InvalidPermission.NotFound",
          "The specified rule does not exist in this security group.",
        );
  for (const { attributes } of revoked)
    db.run("DELETE FROM stored_objects WHERE type = ? AND id = ?", [egress, String(attributes.id)]);
  return { return: true };
}

export function describeVpcEndpoints(db: Database, input: Input): object {
  const found = select(db, ["aws_vpc_endpoint"], input, {
    "vpc-id": "vpc_id",
    "service-name": "service_name",
    "vpc-endpoint-type": "vpc_endpoint_type",
  });
  return {
    vpcEndpointSet: found.map(({ attributes }) => ({
      vpcEndpointId: attributes.id,
      vpcEndpointType: attributes.vpc_endpoint_type,
      vpcId: attributes.vpc_id,
      serviceName: attributes.service_name,
      state: "available",
      tagSet: tagSet(tagsOf(attributes)),
    })),
  };
}

/** The disks of instances by `attachment.instance-id`, else the volumes by themselves. */
export function describeVolumes(store: InstanceStore, input: Input): object {
  const attached = filtersOf(input).find(({ name }) => name === "attachment.instance-id");
  if (attached) return { volumeSet: rootVolumes(store, attached.values) };
  const found = select(store.db, ["aws_ebs_volume"], input, { "availability-zone": "availability_zone" });
  return {
    volumeSet: found.map(({ attributes }) => ({
      volumeId: attributes.id,
      availabilityZone: attributes.availability_zone,
      size: attributes.size,
      status: "available",
      tagSet: tagSet(tagsOf(attributes)),
    })),
  };
}
