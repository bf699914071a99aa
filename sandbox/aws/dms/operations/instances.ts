/** Replication instances, their subnet groups, and certificates. */
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
import type { Certificate, Instance, SubnetGroup } from "../model.ts";
import type { Dms } from "../service.ts";
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

function describeGroup(dms: Dms, group: SubnetGroup): object {
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

function describeCertificate(certificate: Certificate): object {
  return {
    CertificateIdentifier: certificate.id,
    CertificateArn: certificate.arn,
    CertificateCreationDate: new Date(certificate.createdAt),
    CertificatePem: certificate.pem,
  };
}

function importCertificate(dms: Dms, input: Input): object {
  const id = identifier(input, "CertificateIdentifier");
  if (dms.store.all("certificate").some((each) => each.id === id))
    throw alreadyExists(`Certificate ${id} already exists.`);
  const certificate: Certificate = {
    arn: randomArn(dms.context, "cert"),
    id,
    pem: text(input, "CertificatePem"),
    createdAt: dms.context.now().getTime(),
  };
  dms.store.put("certificate", certificate.arn, certificate);
  saveTags(dms, certificate.arn, input);
  return { Certificate: describeCertificate(certificate) };
}

function deleteCertificate(dms: Dms, input: Input): object {
  const certificate = dms.store.get("certificate", text(input, "CertificateArn"));
  if (!certificate) throw notFound(`Certificate ${String(input.CertificateArn)} not found.`);
  dms.store.delete("certificate", certificate.arn);
  return { Certificate: describeCertificate(certificate) };
}

function describeCertificates(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("certificate"), {
    "certificate-arn": (each) => each.arn,
    "certificate-id": (each) => each.id,
  });
  const { items, Marker } = page(input, found);
  return { Certificates: items.map(describeCertificate), Marker };
}

export const instanceOperations = {
  CreateReplicationInstance: createReplicationInstance,
  ModifyReplicationInstance: modifyReplicationInstance,
  DeleteReplicationInstance: deleteReplicationInstance,
  DescribeReplicationInstances: describeReplicationInstances,
  CreateReplicationSubnetGroup: createReplicationSubnetGroup,
  ModifyReplicationSubnetGroup: modifyReplicationSubnetGroup,
  DeleteReplicationSubnetGroup: deleteReplicationSubnetGroup,
  DescribeReplicationSubnetGroups: describeReplicationSubnetGroups,
  ImportCertificate: importCertificate,
  DeleteCertificate: deleteCertificate,
  DescribeCertificates: describeCertificates,
};
