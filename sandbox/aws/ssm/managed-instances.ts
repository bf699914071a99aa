import { addressOf } from "../ec2/address.ts";
import type { Instance, InstanceStore } from "../ec2/instance-store.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { filters, type Input, page } from "./input.ts";
import type { SsmSettings } from "./settings.ts";

function pingStatus(instance: Instance, settings: SsmSettings, now: number): "Online" | "ConnectionLost" {
  // A terminated machine is forgotten; a stopped one seems Online until its silence is noticed.
  return now - instance.pingedAt <= settings.connectionLostMs ? "Online" : "ConnectionLost";
}

function accepts(instance: Instance, status: string, key: string, values: readonly string[]): boolean {
  if (key === "InstanceIds") return values.includes(instance.id);
  if (key === "PingStatus") return values.includes(status);
  if (key === "PlatformTypes") return values.includes("Linux");
  if (key === "ResourceType") return values.includes("EC2Instance");
  if (key.startsWith("tag:")) return values.includes(instance.tags[key.slice(4)] ?? "");
  throw new AwsError("InvalidFilterKey", `filter key ${key} is not known`);
}

/** DescribeInstanceInformation: the machines whose agent has ever reported. */
export function describeInstanceInformation(
  instances: InstanceStore,
  settings: SsmSettings,
  input: Input,
  context: RequestContext,
): object {
  const wanted = [...filters(input, "Filters"), ...filters(input, "InstanceInformationFilterList")];
  const now = context.now().getTime();
  const found = instances
    .all()
    .filter(({ pingedAt, state }) => pingedAt > 0 && state !== "terminated")
    .map((instance) => ({ instance, status: pingStatus(instance, settings, now) }))
    .filter(({ instance, status }) =>
      wanted.every(({ key, values }) => accepts(instance, status, key, values)),
    );
  const { items, next } = page(input, found, 50);
  return {
    InstanceInformationList: items.map(({ instance, status }) => ({
      InstanceId: instance.id,
      PingStatus: status,
      LastPingDateTime: new Date(instance.pingedAt),
      AgentVersion: settings.agentGeneration === "text" ? "3.3.1611.0" : "3.3.3572.0",
      IsLatestVersion: false,
      PlatformType: "Linux",
      PlatformName: "Debian GNU/Linux",
      PlatformVersion: "12",
      ResourceType: "EC2Instance",
      IPAddress: addressOf(instance.id),
      ComputerName: `ip-${addressOf(instance.id).replaceAll(".", "-")}`,
    })),
    NextToken: next,
  };
}
