import type { DataSource } from "../resource.ts";
import { text } from "../values.ts";
import { amiData, managedPrefixListData, subnetData, vpcData } from "./data/network.ts";
import { policyDocument } from "./data/policy-document.ts";
import { secretData, secretVersionData } from "./secrets/data.ts";
import { parameterData } from "./ssm/parameter.ts";

const callerIdentity: DataSource = {
  async read(_config, context) {
    const { Account, Arn, UserId } = await context.aws.identity(context.region);
    return { id: Account, account_id: Account, arn: Arn, user_id: UserId };
  },
};

const region: DataSource = {
  async read(config, context) {
    const name = text(config.region) ?? text(config.name) ?? context.region;
    return { id: name, region: name, name, description: name, endpoint: `ec2.${name}.amazonaws.com` };
  },
};

const partition: DataSource = {
  async read() {
    return { id: "aws", partition: "aws", dns_suffix: "amazonaws.com", reverse_dns_prefix: "com.amazonaws" };
  },
};

/** The stand-in's regions have three zones, as most real ones. */
const availabilityZones: DataSource = {
  async read(config, context) {
    const name = text(config.region) ?? context.region;
    const letters = ["a", "b", "c"];
    return {
      id: name,
      group_names: [name],
      names: letters.map((letter) => `${name}${letter}`),
      zone_ids: letters.map((_, index) => `${name}-az${index + 1}`),
    };
  },
};

/** Data sources that can be read. */
export const dataSources: Readonly<Record<string, DataSource>> = {
  aws_ami: amiData,
  aws_availability_zones: availabilityZones,
  aws_caller_identity: callerIdentity,
  aws_ec2_managed_prefix_list: managedPrefixListData,
  aws_iam_policy_document: policyDocument,
  aws_partition: partition,
  aws_region: region,
  aws_secretsmanager_secret: secretData,
  aws_secretsmanager_secret_version: secretVersionData,
  aws_ssm_parameter: parameterData,
  aws_subnet: subnetData,
  aws_vpc: vpcData,
};
