/** EBS volumes and their attachments: no disk stands behind them. */
import { type StoredType, stored } from "./resource.ts";

const source = "github.com/hashicorp/terraform-provider-aws internal/service/ec2";

const volume: StoredType = {
  rules: {
    source: `${source}/ebs_volume.go`,
    forceNew: [
      "availability_zone",
      "encrypted",
      "kms_key_id",
      "multi_attach_enabled",
      "outpost_arn",
      "snapshot_id",
    ],
    defaults: { final_snapshot: false, multi_attach_enabled: false },
    oneOf: { type: ["standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"] },
    between: { size: [1, 65_536] },
    check: ({ size, snapshot_id: snapshot }) =>
      size === null && snapshot === null
        ? [{ path: "size", says: "one of `size`,`snapshot_id` must be specified" }]
        : [],
  },
  id: (_values, { random }) => `vol-${random()}`,
  computed: (_values, id, { region, account }) => ({
    arn: `arn:aws:ec2:${region}:${account}:volume/${id}`,
    create_time: new Date().toISOString(),
    encrypted: false,
    iops: 3000,
    throughput: 125,
    type: "gp2",
  }),
};

const attachment: StoredType = {
  rules: {
    source: `${source}/ebs_volume_attachment.go`,
    forceNew: ["device_name", "instance_id", "volume_id"],
  },
  // What is attached there already is taken as it is.
  isPut: true,
  id: ({ device_name: device, instance_id: instance, volume_id: attached }) =>
    `vai-${Bun.hash(`${String(device)} ${String(instance)} ${String(attached)}`).toString(10)}`,
};

export const volumeTypes = {
  aws_ebs_volume: stored(volume),
  aws_volume_attachment: stored(attachment),
};
