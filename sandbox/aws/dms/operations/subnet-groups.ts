/** Replication subnet groups. */
import { alreadyExists, invalidState, notFound } from "../faults.ts";
import { filtered, hasFilters, type Input, optionalText, page, text } from "../input.ts";
import type { SubnetGroup } from "../model.ts";
import type { Dms } from "../service.ts";
import { saveTags } from "./tags.ts";

export function describeGroup(dms: Dms, group: SubnetGroup): object {
  return {
    ReplicationSubnetGroupIdentifier: group.id,
    ReplicationSubnetGroupDescription: group.description,
    VpcId: "vpc-00000000000000000",
    SubnetGroupStatus: "Complete",
    Subnets: group.subnetIds.map((id, index) => ({
      SubnetIdentifier: id,
      SubnetAvailabilityZone: { Name: `${dms.context.region}${"abcdef"[index % 6]}` },
      SubnetStatus: "Active",
    })),
    SupportedNetworkTypes: ["IPV4"],
  };
}

function createReplicationSubnetGroup(dms: Dms, input: Input): object {
  const id = text(input, "ReplicationSubnetGroupIdentifier").toLowerCase();
  if (dms.store.get("subnetGroup", id)) throw alreadyExists(`Replication Subnet Group ${id} already exists.`);
  const group: SubnetGroup = {
    id,
    description: text(input, "ReplicationSubnetGroupDescription"),
    subnetIds: [...((input.SubnetIds ?? []) as string[])],
  };
  dms.store.put("subnetGroup", id, group);
  saveTags(dms, `arn:aws:dms:${dms.context.region}:${dms.context.account}:subgrp:${id}`, input);
  return { ReplicationSubnetGroup: describeGroup(dms, group) };
}

function modifyReplicationSubnetGroup(dms: Dms, input: Input): object {
  const id = text(input, "ReplicationSubnetGroupIdentifier").toLowerCase();
  const group = dms.store.get("subnetGroup", id);
  if (!group) throw notFound(`Replication Subnet Group ${id} not found.`);
  group.description = optionalText(input, "ReplicationSubnetGroupDescription") ?? group.description;
  if (Array.isArray(input.SubnetIds)) group.subnetIds = input.SubnetIds as string[];
  dms.store.put("subnetGroup", id, group);
  return { ReplicationSubnetGroup: describeGroup(dms, group) };
}

function deleteReplicationSubnetGroup(dms: Dms, input: Input): object {
  const id = text(input, "ReplicationSubnetGroupIdentifier").toLowerCase();
  if (!dms.store.get("subnetGroup", id)) throw notFound(`Replication Subnet Group ${id} not found.`);
  const user = dms.store.all("instance").find((each) => each.details.ReplicationSubnetGroupIdentifier === id);
  if (user)
    throw invalidState(`Replication Subnet Group ${id} is used by the replication instance ${user.id}.`);
  dms.store.delete("subnetGroup", id);
  return {};
}

function describeReplicationSubnetGroups(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("subnetGroup"), {
    "replication-subnet-group-id": (each) => each.id,
  });
  if (hasFilters(input) && found.length === 0)
    throw notFound("No Replication Subnet Groups found matching provided filters");
  const { items, Marker } = page(input, found);
  return { ReplicationSubnetGroups: items.map((each) => describeGroup(dms, each)), Marker };
}

export const subnetGroupOperations = {
  CreateReplicationSubnetGroup: createReplicationSubnetGroup,
  ModifyReplicationSubnetGroup: modifyReplicationSubnetGroup,
  DeleteReplicationSubnetGroup: deleteReplicationSubnetGroup,
  DescribeReplicationSubnetGroups: describeReplicationSubnetGroups,
};
