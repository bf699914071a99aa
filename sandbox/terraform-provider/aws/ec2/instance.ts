/** aws_instance. In the sandbox the machine behind it is a host stand-in that registers itself. */
import type { Change, Context, Resource } from "../../resource.ts";
import { elements, isObject, isUnknown, sameValue, text, type Value, type Values } from "../../values.ts";
import { AwsFailure, xmlText } from "../client.ts";
import { allTags, readTags, tagChanges } from "../tags.ts";
import { waitFor } from "../wait.ts";

function ec2(
  context: Context,
  values: Values,
  Action: string,
  parameters: Record<string, string>,
): Promise<string> {
  return context.aws.query(
    "ec2",
    "2016-11-15",
    { Action, ...parameters },
    text(values.region) ?? context.region,
  );
}

/** The instance as DescribeInstances shows it; undefined when it never was, or is terminated. */
async function describe(context: Context, values: Values): Promise<string | undefined> {
  try {
    const xml = await ec2(context, values, "DescribeInstances", { "InstanceId.1": String(values.id) });
    return ["terminated", "shutting-down"].includes(stateIn(xml)) ? undefined : xml;
  } catch (error) {
    if (error instanceof AwsFailure && error.code === "InvalidInstanceID.NotFound") return undefined;
    throw error;
  }
}

function stateIn(xml: string): string {
  return /<instanceState>[\s\S]*?<name>([^<]*)<\/name>/.exec(xml)?.[1] ?? "";
}

async function attribute(context: Context, values: Values, name: string): Promise<string> {
  const parameters = { InstanceId: String(values.id), Attribute: name };
  return xmlText(await ec2(context, values, "DescribeInstanceAttribute", parameters), "value");
}

async function modify(context: Context, values: Values, name: string, value: string): Promise<void> {
  const parameters = { InstanceId: String(values.id), Attribute: name, Value: value };
  await ec2(context, values, "ModifyInstanceAttribute", parameters);
}

async function waitForState(context: Context, values: Values, wanted: readonly string[]): Promise<void> {
  await waitFor(`waiting for EC2 Instance (${values.id}) to be ${wanted.join(" or ")}`, async () => {
    const xml = await ec2(context, values, "DescribeInstances", { "InstanceId.1": String(values.id) });
    return wanted.includes(stateIn(xml)) ? true : undefined;
  });
}

function userData(values: Values): string | undefined {
  const plain = text(values.user_data);
  return plain === undefined ? text(values.user_data_base64) : Buffer.from(plain).toString("base64");
}

function listed(prefix: string, values: readonly Value[]): Record<string, string> {
  const texts = values.filter((each): each is string => typeof each === "string");
  return Object.fromEntries(texts.map((each, index) => [`${prefix}.${index + 1}`, each]));
}

function tagParameters(prefix: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value], index) => [
      [`${prefix}.${index + 1}.Key`, key],
      [`${prefix}.${index + 1}.Value`, value],
    ]),
  );
}

const changeable = [
  "disable_api_stop",
  "disable_api_termination",
  "instance_type",
  "user_data",
  "user_data_base64",
];
/** Arguments the stand-in's EC2 has nothing for: kept in the state as they are planned. */
const ignored = [
  ...["tags", "tags_all", "volume_tags", "monitoring", "iam_instance_profile", "force_destroy"],
  ...[
    "vpc_security_group_ids",
    "source_dest_check",
    "metadata_options",
    "instance_initiated_shutdown_behavior",
  ],
  ...["get_password_data", "user_data_replace_on_change"],
];

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const changed = Object.keys(planned).filter((name) => !sameValue(prior[name], planned[name], true));
  const other = changed.find((name) => ![...changeable, ...ignored].includes(name));
  if (other) throw new Error(`the stand-in can't change ${other} of an instance`);
  const needsStop = changed.some((name) => ["instance_type", "user_data", "user_data_base64"].includes(name));
  const wasRunning = stateIn((await describe(context, prior)) ?? "") === "running";
  if (needsStop && wasRunning) {
    await ec2(context, prior, "StopInstances", { "InstanceId.1": String(prior.id) });
    await waitForState(context, prior, ["stopped"]);
  }
  if (changed.includes("instance_type"))
    await modify(context, prior, "instanceType", String(planned.instance_type));
  if (changed.some((name) => name === "user_data" || name === "user_data_base64"))
    await modify(context, prior, "userData", userData(planned) ?? "");
  if (needsStop && wasRunning) {
    await ec2(context, prior, "StartInstances", { "InstanceId.1": String(prior.id) });
    await waitForState(context, prior, ["running"]);
  }
  for (const [name, field] of [
    ["disable_api_stop", "disableApiStop"],
    ["disable_api_termination", "disableApiTermination"],
  ] as const)
    if (changed.includes(name)) await modify(context, prior, field, String(planned[name] === true));
  const { add, remove } = tagChanges(prior, planned);
  const resource = { "ResourceId.1": String(prior.id) };
  if (remove.length > 0) {
    const removed = Object.fromEntries(remove.map((key) => [key, ""]));
    await ec2(context, prior, "DeleteTags", { ...resource, ...tagParameters("Tag", removed) });
  }
  if (add.length > 0) {
    const added = Object.fromEntries(add.map(({ Key, Value }) => [Key, Value]));
    await ec2(context, prior, "CreateTags", { ...resource, ...tagParameters("Tag", added) });
  }
  return undefined;
}

function tagsIn(xml: string): Record<string, string> {
  const set = /<tagSet>([\s\S]*?)<\/tagSet>/.exec(xml)?.[1] ?? "";
  return Object.fromEntries(
    [...set.matchAll(/<key>([^<]*)<\/key><value>([^<]*)<\/value>/g)].map(([, key, value]) => [key!, value!]),
  );
}

function diskParameters(block: Values | undefined): Record<string, string> {
  const names = {
    volume_type: "VolumeType",
    volume_size: "VolumeSize",
    encrypted: "Encrypted",
    kms_key_id: "KmsKeyId",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, field]) => {
      const value = block?.[name];
      return value === undefined || value === null || isUnknown(value)
        ? []
        : [[`BlockDeviceMapping.1.Ebs.${field}`, String(value)]];
    }),
  );
}

/** The disk as the state has it; for an object that is imported as AWS has it. */
async function disk(context: Context, state: Values): Promise<Values[]> {
  const id = String(state.id);
  const own = { volume_id: `vol-${id.slice(2)}`, device_name: "/dev/xvda" };
  const known = elements(state.root_block_device).filter(isObject);
  if (known.length > 0)
    return known.map((block) => ({
      ...block,
      volume_id: text(block.volume_id) ?? own.volume_id,
      device_name: text(block.device_name) ?? own.device_name,
    }));
  const xml = await ec2(context, state, "DescribeVolumes", {
    "Filter.1.Name": "attachment.instance-id",
    "Filter.1.Value.1": id,
  });
  if (xmlText(xml, "volumeId") === "") return [];
  return [
    {
      ...own,
      volume_type: xmlText(xml, "volumeType"),
      volume_size: Number(xmlText(xml, "size")),
      encrypted: xmlText(xml, "encrypted") === "true",
      kms_key_id: xmlText(xml, "kmsKeyId"),
      delete_on_termination: true,
    },
  ];
}

export const instance: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/ec2/ec2_instance.go",
    forceNew: [
      ...[
        "ami",
        "associate_public_ip_address",
        "availability_zone",
        "ebs_optimized",
        "hibernation",
        "host_id",
      ],
      ...[
        "ipv6_address_count",
        "ipv6_addresses",
        "key_name",
        "placement_group",
        "private_ip",
        "security_groups",
      ],
      ...["subnet_id", "tenancy", "root_block_device.encrypted", "root_block_device.kms_key_id"],
    ],
    forceNewWhen: [
      { name: "user_data", when: (planned) => planned.user_data_replace_on_change === true },
      { name: "user_data_base64", when: (planned) => planned.user_data_replace_on_change === true },
    ],
    defaults: {
      get_password_data: false,
      source_dest_check: true,
      user_data_replace_on_change: false,
      "root_block_device.delete_on_termination": true,
    },
    oneOf: {
      "metadata_options.http_endpoint": ["enabled", "disabled"],
      "metadata_options.http_tokens": ["optional", "required"],
      "root_block_device.volume_type": ["standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"],
    },
    conflicts: [
      ["user_data", "user_data_base64"],
      ["vpc_security_group_ids", "network_interface"],
    ],
  },
  async create({ planned }, context) {
    const encoded = userData(planned);
    const xml = await ec2(context, planned, "RunInstances", {
      ImageId: text(planned.ami) ?? "",
      InstanceType: text(planned.instance_type) ?? "t3.micro",
      MinCount: "1",
      MaxCount: "1",
      ...(text(planned.subnet_id) ? { SubnetId: text(planned.subnet_id)! } : {}),
      ...(encoded === undefined ? {} : { UserData: encoded }),
      ...(planned.disable_api_stop === true ? { DisableApiStop: "true" } : {}),
      ...(planned.disable_api_termination === true ? { DisableApiTermination: "true" } : {}),
      ...listed("SecurityGroupId", elements(planned.vpc_security_group_ids)),
      ...diskParameters(elements(planned.root_block_device).find(isObject)),
      "TagSpecification.1.ResourceType": "instance",
      ...tagParameters("TagSpecification.1.Tag", allTags(planned)),
    });
    return { id: xmlText(xml, "instanceId") };
  },
  settle: (state, context) => waitForState(context, state, ["running", "stopped"]),
  async read(state, context) {
    const xml = await describe(context, state);
    if (xml === undefined) return undefined;
    const id = String(state.id);
    const { Account } = await context.aws.identity(context.region);
    const address = xmlText(xml, "privateIpAddress");
    return {
      id,
      arn: `arn:aws:ec2:${context.region}:${Account}:instance/${id}`,
      ami: xmlText(xml, "imageId"),
      instance_type: xmlText(xml, "instanceType"),
      instance_state: stateIn(xml),
      availability_zone: xmlText(xml, "availabilityZone"),
      subnet_id: xmlText(xml, "subnetId"),
      private_ip: address,
      private_dns: xmlText(xml, "privateDnsName"),
      public_ip: "",
      public_dns: "",
      tenancy: "default",
      monitoring: state.monitoring === true,
      disable_api_stop: (await attribute(context, state, "disableApiStop")) === "true",
      disable_api_termination: (await attribute(context, state, "disableApiTermination")) === "true",
      ...(isUnknown(state.vpc_security_group_ids) || state.vpc_security_group_ids === null
        ? { vpc_security_group_ids: [] }
        : {}),
      root_block_device: await disk(context, state),
      ...readTags(tagsIn(xml), state, context),
    };
  },
  update,
  async delete(state, context) {
    if ((await describe(context, state)) === undefined) return;
    await ec2(context, state, "TerminateInstances", { "InstanceId.1": String(state.id) });
    await waitForState(context, state, ["terminated"]);
  },
};
