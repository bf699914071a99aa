import type { ServiceContext } from "../service.ts";
import { AwsError } from "../service.ts";
import { addressOf } from "./address.ts";
import { type Instance, type InstanceStore, stateCodes } from "./instance-store.ts";
import { filtersOf, flag, type Input, listOf } from "./query-input.ts";

/** `*` and `?` as EC2's filters know them. */
function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(value);
}

function fieldOf(instance: Instance, filter: string): readonly string[] {
  if (filter.startsWith("tag:"))
    return [instance.tags[filter.slice(4)]].filter((value) => value !== undefined);
  switch (filter) {
    case "tag-key":
      return Object.keys(instance.tags);
    case "instance-id":
      return [instance.id];
    case "instance-state-name":
      return [instance.state];
    case "instance-state-code":
      return [String(stateCodes[instance.state])];
    case "instance-type":
      return [instance.instanceType];
    case "subnet-id":
      return [instance.subnetId];
    default:
      throw new AwsError("InvalidParameterValue", `The filter '${filter}' is invalid`);
  }
}

/** The instances a Describe call names or filters; unknown ids are an error, an unmatched filter isn't. */
function select(store: InstanceStore, input: Input): Instance[] {
  const ids = listOf(input, "InstanceId");
  const candidates = ids.length > 0 ? ids.map((id) => store.get(id)) : store.all();
  const filters = filtersOf(input);
  return candidates.filter((instance) =>
    filters.every(({ name, values }) =>
      fieldOf(instance, name).some((value) => values.some((pattern) => matches(pattern, value))),
    ),
  );
}

export function stateOf(instance: Instance): { code: number; name: string } {
  return { code: stateCodes[instance.state], name: instance.state };
}

export function tagSet(tags: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

export function describeInstance(instance: Instance, context: ServiceContext): object {
  return {
    instanceId: instance.id,
    imageId: instance.imageId,
    instanceState: stateOf(instance),
    privateDnsName: `ip-${addressOf(instance.id).replaceAll(".", "-")}.ec2.internal`,
    reason: instance.state === "stopped" ? "User initiated" : "",
    instanceType: instance.instanceType,
    launchTime: new Date(instance.launchedAt).toISOString(),
    placement: { availabilityZone: `${context.region}a`, groupName: "", tenancy: "default" },
    monitoring: { state: "disabled" },
    subnetId: instance.subnetId,
    privateIpAddress: addressOf(instance.id),
    architecture: "x86_64",
    tagSet: tagSet(instance.tags),
    metadataOptions: { state: "applied", httpTokens: "required", httpEndpoint: "enabled" },
  };
}

export function describeInstances(store: InstanceStore, input: Input, context: ServiceContext): object {
  const found = select(store, input);
  const size = Number(input.MaxResults ?? 1000);
  const from = Number(input.NextToken ?? 0);
  return {
    reservationSet: found.slice(from, from + size).map((instance) => ({
      reservationId: `r-${instance.id.slice(2)}`,
      ownerId: context.account,
      groupSet: [],
      instancesSet: [describeInstance(instance, context)],
    })),
    nextToken: from + size < found.length ? String(from + size) : undefined,
  };
}

/** Only running instances unless IncludeAllInstances; the checks pass once it has run for a moment. */
export function describeInstanceStatus(store: InstanceStore, input: Input, context: ServiceContext): object {
  const all = flag(input.IncludeAllInstances);
  const checks = (instance: Instance): object => ({
    status: instance.state === "running" ? "ok" : "not-applicable",
  });
  return {
    instanceStatusSet: select(store, input)
      .filter((instance) => all || instance.state === "running")
      .map((instance) => ({
        instanceId: instance.id,
        availabilityZone: `${context.region}a`,
        instanceState: stateOf(instance),
        systemStatus: checks(instance),
        instanceStatus: checks(instance),
      })),
  };
}

/** The disks of an instance: it has the one it was launched with. */
export function rootVolumes(store: InstanceStore, instanceIds: readonly string[]): object[] {
  return instanceIds.flatMap((id) => {
    const { rootVolume } = store.get(id);
    if (!rootVolume) return [];
    const { type, size, encrypted, kmsKeyId } = rootVolume;
    const volumeId = `vol-${id.slice(2)}`;
    return [{ volumeId, volumeType: type, size, encrypted, kmsKeyId: kmsKeyId || undefined }];
  });
}
