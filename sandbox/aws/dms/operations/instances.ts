/** Replication instances: what tasks run on. */
import { alreadyExists, invalidState, invalidValue, notFound } from "../faults.ts";
import {
  filtered,
  hasFilters,
  type Input,
  identifier,
  optionalNumber,
  optionalText,
  page,
  randomArn,
  text,
} from "../input.ts";
import type { Instance } from "../model.ts";
import type { Dms } from "../service.ts";
import { describeGroup } from "./subnet-groups.ts";
import { saveTags } from "./tags.ts";

/** New instances get a version DMS still offers; 3.5.2 and 3.5.3 are past their end of life. */
const engineVersions = ["3.5.4", "3.6.0", "3.6.1"];
const kept = [
  ...[
    "AvailabilityZone",
    "PreferredMaintenanceWindow",
    "MultiAZ",
    "AutoMinorVersionUpgrade",
    "PubliclyAccessible",
  ],
  ...["KmsKeyId", "NetworkType", "DnsNameServers"],
];

function keptDetails(input: Input): Record<string, unknown> {
  return Object.fromEntries(
    kept.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  );
}

function describeInstance(dms: Dms, instance: Instance): object {
  const { VpcSecurityGroupIds, ReplicationSubnetGroupIdentifier, ...details } = instance.details;
  const group =
    typeof ReplicationSubnetGroupIdentifier === "string"
      ? dms.store.get("subnetGroup", ReplicationSubnetGroupIdentifier)
      : undefined;
  return {
    ReplicationInstanceIdentifier: instance.id,
    ReplicationInstanceArn: instance.arn,
    ReplicationInstanceClass: instance.class,
    ReplicationInstanceStatus: instance.status,
    AllocatedStorage: instance.allocatedStorage,
    EngineVersion: instance.engineVersion,
    InstanceCreateTime: new Date(instance.createdAt),
    MultiAZ: false,
    AutoMinorVersionUpgrade: true,
    PubliclyAccessible: false,
    AvailabilityZone: `${dms.context.region}a`,
    KmsKeyId: `arn:aws:kms:${dms.context.region}:${dms.context.account}:key/aws-dms`,
    NetworkType: "IPV4",
    PreferredMaintenanceWindow: "sun:06:00-sun:14:00",
    PendingModifiedValues: {},
    ReplicationInstancePrivateIpAddress: "127.0.0.1",
    ReplicationInstancePrivateIpAddresses: ["127.0.0.1"],
    ...details,
    VpcSecurityGroups: ((VpcSecurityGroupIds ?? []) as string[]).map((id) => ({
      VpcSecurityGroupId: id,
      Status: "active",
    })),
    ...(group ? { ReplicationSubnetGroup: describeGroup(dms, group) } : {}),
  };
}

export function existingInstance(dms: Dms, arn: string): Instance {
  const instance = dms.store.get("instance", arn);
  if (!instance) throw notFound(`Replication Instance ${arn} not found.`);
  return instance;
}

function settle(dms: Dms, arn: string): void {
  dms.later(() => {
    const instance = dms.store.get("instance", arn);
    if (instance && instance.status !== "deleting")
      dms.store.put("instance", arn, { ...instance, status: "available" });
  });
}

function engineVersion(input: Input, before: string): string {
  const version = optionalText(input, "EngineVersion") ?? before;
  if (!engineVersions.includes(version)) {
    throw invalidValue(
      `No replication engine found with version: ${version}; expected one of ${engineVersions.join(", ")}.`,
    );
  }
  return version;
}

function createReplicationInstance(dms: Dms, input: Input): object {
  const id = identifier(input, "ReplicationInstanceIdentifier");
  if (dms.store.all("instance").some((each) => each.id === id))
    throw alreadyExists(`Replication instance ${id} already exists.`);
  const subnetGroup = optionalText(input, "ReplicationSubnetGroupIdentifier")?.toLowerCase();
  if (subnetGroup !== undefined && !dms.store.get("subnetGroup", subnetGroup)) {
    throw notFound(`Replication Subnet Group ${subnetGroup} not found.`);
  }
  const arn = randomArn(dms.context, "rep");
  const instance: Instance = {
    arn,
    id,
    class: text(input, "ReplicationInstanceClass"),
    engineVersion: engineVersion(input, "3.5.4"),
    allocatedStorage: optionalNumber(input, "AllocatedStorage") ?? 50,
    status: "creating",
    createdAt: dms.context.now().getTime(),
    details: {
      ...keptDetails(input),
      ...(subnetGroup === undefined ? {} : { ReplicationSubnetGroupIdentifier: subnetGroup }),
      VpcSecurityGroupIds: input.VpcSecurityGroupIds ?? [],
    },
  };
  dms.store.put("instance", arn, instance);
  saveTags(dms, arn, input);
  settle(dms, arn);
  return { ReplicationInstance: describeInstance(dms, instance) };
}

function modifyReplicationInstance(dms: Dms, input: Input): object {
  const instance = existingInstance(dms, text(input, "ReplicationInstanceArn"));
  if (instance.status !== "available")
    throw invalidState(`Replication instance ${instance.id} is ${instance.status}, expected available.`);
  instance.class = optionalText(input, "ReplicationInstanceClass") ?? instance.class;
  instance.engineVersion = engineVersion(input, instance.engineVersion);
  instance.allocatedStorage = optionalNumber(input, "AllocatedStorage") ?? instance.allocatedStorage;
  instance.details = { ...instance.details, ...keptDetails(input) };
  if (input.VpcSecurityGroupIds !== undefined)
    instance.details.VpcSecurityGroupIds = input.VpcSecurityGroupIds;
  instance.status = "modifying";
  dms.store.put("instance", instance.arn, instance);
  settle(dms, instance.arn);
  return { ReplicationInstance: describeInstance(dms, instance) };
}

function deleteReplicationInstance(dms: Dms, input: Input): object {
  const instance = existingInstance(dms, text(input, "ReplicationInstanceArn"));
  const task = dms.store.all("task").find((each) => each.instanceArn === instance.arn);
  if (task)
    throw invalidState(`Replication instance ${instance.id} is not empty: delete its task ${task.id} first.`);
  instance.status = "deleting";
  dms.store.put("instance", instance.arn, instance);
  dms.later(() => {
    dms.store.delete("instance", instance.arn);
    dms.store.delete("tags", instance.arn);
  });
  return { ReplicationInstance: describeInstance(dms, instance) };
}

function describeReplicationInstances(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("instance"), {
    "replication-instance-arn": (each) => each.arn,
    "replication-instance-id": (each) => each.id,
    "replication-instance-class": (each) => each.class,
    "engine-version": (each) => each.engineVersion,
  });
  if (hasFilters(input) && found.length === 0)
    throw notFound("No Replication Instances found matching provided filters");
  const { items, Marker } = page(input, found);
  return { ReplicationInstances: items.map((each) => describeInstance(dms, each)), Marker };
}

export const instanceOperations = {
  CreateReplicationInstance: createReplicationInstance,
  ModifyReplicationInstance: modifyReplicationInstance,
  DeleteReplicationInstance: deleteReplicationInstance,
  DescribeReplicationInstances: describeReplicationInstances,
};
