import type { EC2Client, Filter, SecurityGroupRule, Tag } from "@aws-sdk/client-ec2";
import { RoundtripError } from "../../core/errors.ts";
import type { Creation, Known, Taken } from "../../core/recovery/creations.ts";
import type { ExistingObjects } from "../../core/recovery/ports.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { awsFailure } from "./store-failure.ts";

const living = ["pending", "running", "stopping", "stopped"];
/** One object is looked for at a time, by filters that leave few. */
const resultsMax = 1000;

/** DMS's endpoints and tasks by their names, and what AWS names itself: instances and volumes, security groups and their rules, endpoints of a VPC; secrets by their ARN. */
export class AwsExistingObjects implements ExistingObjects {
  readonly #settings: ClientSettings;
  #ec2: EC2Client | undefined;

  constructor(settings: ClientSettings = {}) {
    this.#settings = settings;
  }

  async find(creation: Creation): Promise<readonly string[]> {
    try {
      switch (creation.type) {
        case "aws_instance":
          return await this.#instances(creation);
        case "aws_dms_endpoint":
          return await this.#dms("endpoint-id", creation.values.endpoint_id);
        case "aws_dms_replication_task":
          return await this.#dms("replication-task-id", creation.values.replication_task_id);
        case "aws_ebs_volume":
          return await this.#volumes(creation);
        case "aws_security_group":
          return await this.#groups(creation);
        case "aws_vpc_security_group_egress_rule":
        case "aws_vpc_security_group_ingress_rule":
          return await this.#rules(creation);
        case "aws_vpc_endpoint":
          return await this.#endpoints(creation);
        case "aws_secretsmanager_secret":
          return await this.#secrets(creation);
        default:
          return [];
      }
    } catch (error) {
      throw awsError(error, {
        what: `look in AWS for ${creation.address}`,
        expected: "an answer",
        wayOut: "mend what is named, then run this again",
      });
    }
  }

  async finish({ address, type, id }: Taken): Promise<readonly string[]> {
    if (type !== "aws_security_group") return [];
    try {
      return await this.#withoutDefaultEgress(id);
    } catch (error) {
      throw awsError(error, {
        what: `take AWS's own rule of a new group away from ${address}`,
        expected: "an answer",
        wayOut: "mend what is named, then run this again",
      });
    }
  }

  /**
   * AWS lets everything out of a new group, by rules that nobody described or tagged; Terraform's provider takes them away
   * right after it has made the group. The environment's own rules carry its tags.
   */
  async #withoutDefaultEgress(GroupId: string): Promise<readonly string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeSecurityGroupRulesCommand({
        Filters: [by("group-id", GroupId)],
        MaxResults: resultsMax,
      }),
    );
    if (answer.NextToken) throw tooMany();
    const own = (answer.SecurityGroupRules ?? []).filter(isDefaultEgress);
    const ids = own.flatMap(({ SecurityGroupRuleId }) => SecurityGroupRuleId ?? []);
    if (ids.length === 0) return [];
    await client.send(new sdk.RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds: ids }));
    return own.map(
      ({ CidrIpv4, CidrIpv6, SecurityGroupRuleId }) =>
        `AWS's own rule of a new group (${SecurityGroupRuleId}: everything to ${CidrIpv4 ?? CidrIpv6}) taken away`,
    );
  }

  async #instances({ values, tags }: Creation): Promise<string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeInstancesCommand({
        Filters: [
          ...byTags(tags),
          by("subnet-id", values.subnet_id),
          { Name: "instance-state-name", Values: living },
        ],
        MaxResults: resultsMax,
      }),
    );
    const found = (answer.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);
    return ids(found, tags, ({ InstanceId }) => InstanceId, answer.NextToken);
  }

  async #dms(filter: "endpoint-id" | "replication-task-id", id: Known | undefined): Promise<string[]> {
    const sdk = await import("@aws-sdk/client-database-migration-service");
    const client = new sdk.DatabaseMigrationServiceClient(clientOptions(this.#settings));
    const Filters = [{ Name: filter, Values: [String(id)] }];
    try {
      const answer =
        filter === "endpoint-id"
          ? (await client.send(new sdk.DescribeEndpointsCommand({ Filters }))).Endpoints
          : (await client.send(new sdk.DescribeReplicationTasksCommand({ Filters, WithoutSettings: true })))
              .ReplicationTasks;
      return answer?.length ? [String(id)] : [];
    } catch (error) {
      if (awsFailure(error).name === "ResourceNotFoundFault") return [];
      throw error;
    }
  }

  async #volumes({ values, tags }: Creation): Promise<string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeVolumesCommand({
        Filters: [...byTags(tags), by("availability-zone", values.availability_zone)],
        MaxResults: resultsMax,
      }),
    );
    const found = (answer.Volumes ?? []).filter(
      ({ State }) => !/^(deleting|deleted|error)$/.test(String(State)),
    );
    return ids(found, tags, ({ VolumeId }) => VolumeId, answer.NextToken);
  }

  async #groups({ values, tags }: Creation): Promise<string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeSecurityGroupsCommand({
        Filters: [...byTags(tags), by("group-name", values.name), by("vpc-id", values.vpc_id)],
        MaxResults: resultsMax,
      }),
    );
    return ids(answer.SecurityGroups ?? [], tags, ({ GroupId }) => GroupId, answer.NextToken);
  }

  async #rules({ type, values, tags }: Creation): Promise<string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeSecurityGroupRulesCommand({
        Filters: [...byTags(tags), by("group-id", values.security_group_id)],
        MaxResults: resultsMax,
      }),
    );
    const isEgress = type === "aws_vpc_security_group_egress_rule";
    const same = (answer.SecurityGroupRules ?? []).filter(
      (rule) => rule.IsEgress === isEgress && isSameRule(rule, values),
    );
    return ids(same, tags, ({ SecurityGroupRuleId }) => SecurityGroupRuleId, answer.NextToken);
  }

  async #endpoints({ values, tags }: Creation): Promise<string[]> {
    const { sdk, client } = await this.#sdk();
    const answer = await client.send(
      new sdk.DescribeVpcEndpointsCommand({
        Filters: [
          ...byTags(tags),
          by("vpc-id", values.vpc_id),
          by("service-name", values.service_name),
          by("vpc-endpoint-type", values.vpc_endpoint_type),
        ],
        MaxResults: resultsMax,
      }),
    );
    const found = (answer.VpcEndpoints ?? []).filter(
      ({ State }) => !/^(deleting|deleted|failed)$/i.test(String(State)),
    );
    return ids(found, tags, ({ VpcEndpointId }) => VpcEndpointId, answer.NextToken);
  }

  async #secrets({ values, tags }: Creation): Promise<string[]> {
    const { DescribeSecretCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
    const client = new SecretsManagerClient(clientOptions(this.#settings));
    try {
      const found = await client.send(new DescribeSecretCommand({ SecretId: String(values.name) }));
      return found.DeletedDate ? [] : ids([found], tags, ({ ARN }) => ARN, undefined);
    } catch (error) {
      if (awsFailure(error).name === "ResourceNotFoundException") return [];
      throw error;
    }
  }

  async #sdk() {
    const sdk = await import("@aws-sdk/client-ec2");
    this.#ec2 ??= new sdk.EC2Client(clientOptions(this.#settings));
    return { sdk, client: this.#ec2 };
  }
}

function by(Name: string, value: Known | undefined): Filter {
  return { Name, Values: [String(value)] };
}

function byTags(tags: Creation["tags"]): Filter[] {
  return Object.entries(tags).map(([name, value]) => by(`tag:${name}`, value));
}

/** Those with exactly these tags; AWS's filters take more tags, and wildcards in a value. */
function ids<Found extends { Tags?: Tag[] | undefined }>(
  found: readonly Found[],
  tags: Creation["tags"],
  idOf: (each: Found) => string | undefined,
  more: string | undefined,
): string[] {
  if (more) throw tooMany();
  const wanted = JSON.stringify(Object.entries(tags).sort());
  return found
    .filter(({ Tags = [] }) => {
      const own = Tags.filter(({ Key = "" }) => !Key.startsWith("aws:"));
      return JSON.stringify(own.map(({ Key, Value }) => [Key, Value]).sort()) === wanted;
    })
    .flatMap((each) => idOf(each) ?? []);
}

function isDefaultEgress(rule: SecurityGroupRule): boolean {
  return (
    rule.IsEgress === true &&
    rule.IpProtocol === "-1" &&
    (rule.CidrIpv4 === "0.0.0.0/0" || rule.CidrIpv6 === "::/0") &&
    !rule.Description &&
    (rule.Tags ?? []).length === 0
  );
}

function isSameRule(rule: SecurityGroupRule, values: Creation["values"]): boolean {
  const port = (value: Known | undefined) => (typeof value === "number" ? value : -1);
  return (
    rule.IpProtocol === values.ip_protocol &&
    (rule.FromPort ?? -1) === port(values.from_port) &&
    (rule.ToPort ?? -1) === port(values.to_port) &&
    (rule.CidrIpv4 ?? null) === (values.cidr_ipv4 ?? null) &&
    (rule.CidrIpv6 ?? null) === (values.cidr_ipv6 ?? null) &&
    (rule.PrefixListId ?? null) === (values.prefix_list_id ?? null) &&
    (rule.ReferencedGroupInfo?.GroupId ?? null) === (values.referenced_security_group_id ?? null)
  );
}

function tooMany(): RoundtripError {
  return new RoundtripError({
    kind: "unknown",
    what: "look in AWS for objects that an earlier run made",
    expected: `at most ${resultsMax} of one kind`,
    got: "more",
    wayOut: "import what exists by hand (terraform import), then run this again",
  });
}
