/** aws_dms_replication_subnet_group */
import type { Context, Resource } from "../../resource.ts";
import { sameValue, type Values } from "../../values.ts";
import { tagList } from "../tags.ts";
import { type Described, deleteAndWait, dms, dmsTags, find, updateDmsTags } from "./api.ts";

function findGroup(context: Context, values: Values): Promise<Described | undefined> {
  const lookup = {
    operation: "DescribeReplicationSubnetGroups",
    list: "ReplicationSubnetGroups",
    filter: "replication-subnet-group-id",
  };
  return find(context, values, lookup, String(values.id));
}

export const subnetGroup: Resource = {
  rules: {
    source:
      "github.com/hashicorp/terraform-provider-aws internal/service/dms/{replication_subnet_group,validate}.go",
    forceNew: ["replication_subnet_group_id"],
    pattern: {
      replication_subnet_group_id: [
        { pattern: /^(?!default$)/, says: "must not be default" },
        { pattern: /^.{0,255}$/s, says: "must not be longer than 255 characters" },
        {
          pattern: /^[0-9A-Za-z_ .-]+$/,
          says: "must only contain alphanumeric characters, periods, spaces, underscores and hyphens",
        },
      ],
    },
    check: ({ subnet_ids: ids }) =>
      Array.isArray(ids) && ids.length < 2
        ? [{ path: "subnet_ids", says: `Attribute subnet_ids requires 2 item minimum, got ${ids.length}` }]
        : [],
  },
  async create({ planned }, context) {
    await dms(context, planned, "CreateReplicationSubnetGroup", {
      ReplicationSubnetGroupIdentifier: planned.replication_subnet_group_id,
      ReplicationSubnetGroupDescription: planned.replication_subnet_group_description,
      SubnetIds: planned.subnet_ids,
      Tags: tagList(planned),
    });
    return { id: String(planned.replication_subnet_group_id).toLowerCase() };
  },
  async read(state, context) {
    const found = await findGroup(context, state);
    if (!found) return undefined;
    const { Account } = await context.aws.identity(context.region);
    const id = String(found.ReplicationSubnetGroupIdentifier);
    const arn = `arn:aws:dms:${context.region}:${Account}:subgrp:${id}`;
    const subnets = (found.Subnets ?? []) as { SubnetIdentifier: string }[];
    return {
      id,
      replication_subnet_group_id: id,
      replication_subnet_group_arn: arn,
      replication_subnet_group_description: String(found.ReplicationSubnetGroupDescription),
      subnet_ids: subnets.map(({ SubnetIdentifier }) => SubnetIdentifier),
      vpc_id: String(found.VpcId),
      ...(await dmsTags(context, state, arn)),
    };
  },
  async update({ prior, planned }, context) {
    const names = ["replication_subnet_group_description", "subnet_ids"];
    if (names.some((name) => !sameValue(prior[name], planned[name], true)))
      await dms(context, prior, "ModifyReplicationSubnetGroup", {
        ReplicationSubnetGroupIdentifier: planned.replication_subnet_group_id,
        ReplicationSubnetGroupDescription: planned.replication_subnet_group_description,
        SubnetIds: planned.subnet_ids,
      });
    await updateDmsTags(context, prior, planned, String(prior.replication_subnet_group_arn));
    return undefined;
  },
  delete: (state, context) =>
    deleteAndWait(
      () =>
        dms(context, state, "DeleteReplicationSubnetGroup", { ReplicationSubnetGroupIdentifier: state.id }),
      `DMS Replication Subnet Group (${state.id})`,
      () => findGroup(context, state),
    ),
};
