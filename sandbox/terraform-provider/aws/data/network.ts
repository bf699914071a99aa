/** The sandbox has no network: any identifier stands for something that is there, in a zone by its place. */
import type { DataSource } from "../../resource.ts";
import { text } from "../../values.ts";

export const vpcData: DataSource = {
  async read(config, context) {
    const id = text(config.id) ?? "vpc-00000000000000000";
    const { Account } = await context.aws.identity(context.region);
    return {
      id,
      arn: `arn:aws:ec2:${context.region}:${Account}:vpc/${id}`,
      cidr_block: "10.0.0.0/16",
      owner_id: Account,
      state: "available",
      enable_dns_support: true,
      enable_dns_hostnames: true,
    };
  },
};

export const subnetData: DataSource = {
  async read(config, context) {
    const id = text(config.id) ?? "subnet-00000000000000000";
    const zone = "abc"[[...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 3]!;
    return {
      id,
      vpc_id: "vpc-00000000000000000",
      availability_zone: `${context.region}${zone}`,
      cidr_block: "10.0.0.0/24",
      state: "available",
    };
  },
};

/** AWS's own lists are found by name, such as com.amazonaws.us-east-1.s3. */
export const managedPrefixListData: DataSource = {
  async read(config, context) {
    const name = text(config.name) ?? "";
    const id = text(config.id) ?? `pl-${Bun.hash(name).toString(16).padStart(8, "0").slice(0, 8)}`;
    return {
      id,
      name,
      arn: `arn:aws:ec2:${context.region}:aws:prefix-list/${id}`,
      address_family: "IPv4",
      owner_id: "AWS",
      entries: [{ cidr: "52.216.0.0/15", description: "" }],
    };
  },
};

export const amiData: DataSource = {
  async read(config) {
    const id = `ami-${Bun.hash(JSON.stringify(config)).toString(16).padStart(17, "0").slice(0, 17)}`;
    return { id, image_id: id, architecture: "x86_64", root_device_name: "/dev/xvda", state: "available" };
  },
};
