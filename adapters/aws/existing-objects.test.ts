/** What a killed Terraform left behind, found by what tells it apart and by its tags. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  CreateEndpointCommand,
  DatabaseMigrationServiceClient,
} from "@aws-sdk/client-database-migration-service";
import {
  DescribeSecurityGroupRulesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Creation } from "../../core/recovery/creations.ts";
import { defaultCredentials } from "../../sandbox/aws/identity.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { AwsClient } from "../../sandbox/terraform-provider/aws/client.ts";
import { AwsExistingObjects } from "./existing-objects.ts";

setDefaultTimeout(30_000);
const tags = { product: "roundtrip", environment: "dev", Name: "dms" };
let aws: TestAws;

beforeAll(async () => {
  aws = await startTestAws();
});
afterAll(() => aws[Symbol.asyncDispose]());

const find = (type: string, values: Creation["values"], own: Record<string, string> = tags) =>
  new AwsExistingObjects().find({ address: `${type}.this`, type, values, tags: own });

/** As Terraform's provider keeps what EC2 doesn't play. */
async function keep(TypeName: string, id: string, attributes: object): Promise<void> {
  const client = new AwsClient(aws.url, async () => defaultCredentials);
  const Attributes = { id, tags_all: tags, ...attributes };
  await client.json(
    "stored-objects",
    "StoredObjects.CreateObject",
    { TypeName, ObjectId: id, Attributes },
    "us-east-1",
  );
}

test("an instance that lives, by its subnet and exactly its tags; a terminated one is gone", async () => {
  const ec2 = new EC2Client({});
  const run = async (more: Record<string, string> = {}) => {
    const Tags = Object.entries({ ...tags, ...more }).map(([Key, Value]) => ({ Key, Value }));
    const answer = await ec2.send(
      new RunInstancesCommand({
        ImageId: "ami-1",
        MinCount: 1,
        MaxCount: 1,
        SubnetId: "subnet-1",
        TagSpecifications: [{ ResourceType: "instance", Tags }],
      }),
    );
    return answer.Instances![0]!.InstanceId!;
  };
  await run({ owner: "somebody" });
  expect(await find("aws_instance", { subnet_id: "subnet-1" })).toEqual([]);
  const [one, other] = [await run(), await run()];
  expect([...(await find("aws_instance", { subnet_id: "subnet-1" }))].sort()).toEqual([one, other].sort());
  expect(await find("aws_instance", { subnet_id: "subnet-2" })).toEqual([]);
  await aws.control("POST", "ec2", { stoppingMs: 0 });
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [one, other] }));
  expect(await find("aws_instance", { subnet_id: "subnet-1" })).toEqual([]);
});

test("a security group by name and VPC, its rules by direction, protocol, ports and peer", async () => {
  await keep("aws_security_group", "sg-1", { name: "dms", vpc_id: "vpc-1", description: "x" });
  expect(await find("aws_security_group", { name: "dms", vpc_id: "vpc-1" })).toEqual(["sg-1"]);
  expect(await find("aws_security_group", { name: "dms", vpc_id: "vpc-2" })).toEqual([]);
  expect(
    await find("aws_security_group", { name: "dms", vpc_id: "vpc-1" }, { ...tags, environment: "qa" }),
  ).toEqual([]);
  const rule = { security_group_id: "sg-1", ip_protocol: "tcp", from_port: 443, to_port: 443 };
  await keep("aws_vpc_security_group_egress_rule", "sgr-1", { ...rule, cidr_ipv4: "10.0.0.0/16" });
  await keep("aws_vpc_security_group_egress_rule", "sgr-2", {
    ...rule,
    referenced_security_group_id: "sg-9",
  });
  await keep("aws_vpc_security_group_ingress_rule", "sgr-3", { ...rule, cidr_ipv4: "10.0.0.0/16" });
  const egress = (values: Creation["values"]) =>
    find("aws_vpc_security_group_egress_rule", { ...rule, ...values });
  expect(await egress({ cidr_ipv4: "10.0.0.0/16" })).toEqual(["sgr-1"]);
  expect(await egress({ cidr_ipv4: null, referenced_security_group_id: "sg-9" })).toEqual(["sgr-2"]);
  expect(await egress({ cidr_ipv4: "10.0.0.0/16", to_port: 444 })).toEqual([]);
});

test("a group that its Terraform didn't finish loses AWS's own rule, which lets everything out, and no other; once", async () => {
  await keep("aws_security_group", "sg-2", { name: "host", vpc_id: "vpc-1" });
  const everything = { security_group_id: "sg-2", ip_protocol: "-1", cidr_ipv4: "0.0.0.0/0" };
  await keep("aws_vpc_security_group_egress_rule", "sgr-default", { ...everything, tags_all: {} });
  await keep("aws_vpc_security_group_egress_rule", "sgr-own", everything);
  await keep("aws_vpc_security_group_egress_rule", "sgr-described", {
    ...everything,
    tags_all: {},
    description: "to all of them",
  });
  await keep("aws_vpc_security_group_egress_rule", "sgr-narrow", {
    ...{ ...everything, cidr_ipv4: "10.0.0.0/8" },
    tags_all: {},
  });
  const existing = new AwsExistingObjects();
  const group = { address: "aws_security_group.this", type: "aws_security_group", id: "sg-2" };
  expect(await existing.finish(group)).toEqual([
    "AWS's own rule of a new group (sgr-default: everything to 0.0.0.0/0) taken away",
  ]);
  const left = await new EC2Client({}).send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: ["sg-2"] }] }),
  );
  expect(left.SecurityGroupRules!.map(({ SecurityGroupRuleId }) => SecurityGroupRuleId).sort()).toEqual([
    "sgr-described",
    "sgr-narrow",
    "sgr-own",
  ]);
  expect(await existing.finish(group)).toEqual([]);
  expect(await existing.finish({ ...group, type: "aws_instance", id: "i-1" })).toEqual([]);
});

test("DMS's endpoint by its name; one that isn't there is not found", async () => {
  const client = new DatabaseMigrationServiceClient({});
  await client.send(
    new CreateEndpointCommand({
      EndpointIdentifier: "documentdb-shop",
      EndpointType: "target",
      EngineName: "docdb",
      ServerName: "documentdb.test",
      Port: 27017,
      Username: "replication",
      Password: "never-shown-41",
      DatabaseName: "shop",
    }),
  );
  expect(await find("aws_dms_endpoint", { endpoint_id: "documentdb-shop" })).toEqual(["documentdb-shop"]);
  expect(await find("aws_dms_endpoint", { endpoint_id: "documentdb-other" })).toEqual([]);
  expect(await find("aws_dms_replication_task", { replication_task_id: "shop" })).toEqual([]);
});

test("a volume by its zone", async () => {
  await keep("aws_ebs_volume", "vol-1", { availability_zone: "us-east-1a", size: 50 });
  expect(await find("aws_ebs_volume", { availability_zone: "us-east-1a" })).toEqual(["vol-1"]);
  expect(await find("aws_ebs_volume", { availability_zone: "us-east-1b" })).toEqual([]);
});

test("an endpoint by VPC and service, a secret by its name while it isn't scheduled for deletion", async () => {
  const values = {
    vpc_id: "vpc-1",
    service_name: "com.amazonaws.us-east-1.s3",
    vpc_endpoint_type: "Gateway",
  };
  await keep("aws_vpc_endpoint", "vpce-1", values);
  expect(await find("aws_vpc_endpoint", values)).toEqual(["vpce-1"]);
  const secrets = new SecretsManagerClient({});
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { ARN } = await secrets.send(new CreateSecretCommand({ Name: "roundtrip/dev/replication", Tags }));
  expect(await find("aws_secretsmanager_secret", { name: "roundtrip/dev/replication" })).toEqual([ARN!]);
  expect(await find("aws_secretsmanager_secret", { name: "roundtrip/dev/another" })).toEqual([]);
  await secrets.send(new DeleteSecretCommand({ SecretId: ARN! }));
  expect(await find("aws_secretsmanager_secret", { name: "roundtrip/dev/replication" })).toEqual([]);
});

test("a denied look fails, with what it was for", async () => {
  await aws.control("POST", "faults", {
    operation: "DescribeSecurityGroups",
    times: "unlimited",
    action: { status: 403, code: "UnauthorizedOperation" },
  });
  expect(find("aws_security_group", { name: "dms", vpc_id: "vpc-1" })).rejects.toMatchObject({
    kind: "denied",
    what: "look in AWS for aws_security_group.this",
  });
});
