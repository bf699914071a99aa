#!/bin/bash
# Prepares a Kafka node: its volume, the worker, Java and Kafka from S3 by sha256, units, and the configuration that Terraform keeps in
# SSM. It starts neither ZooKeeper nor Kafka: the runbook kafka-setup does, on all nodes, and proves the cluster. What is there stays; a
# volume that holds anything is never formatted. Exit codes as in docs/exit-codes.md: 4 another try can mend it, 6 a setting or an object is wrong.
set -Eeuo pipefail

# shellcheck source=terraform/modules/ec2/install/common.sh
. "${0%/*}/common.sh"

data=/var/lib/kafka
waits_max=60

# EC2 attaches the volume after the machine has started; its name is the one thing of it that stays.
find_volume() {
  local wait
  local name=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID/-/}
  for ((wait = 0; wait < waits_max; wait++)); do
    if [[ -b $name ]]; then
      device=$(readlink -f "$name")
      return
    fi
    sleep "$RETRY_SECONDS"
  done
  fail 4 "expected volume $VOLUME_ID as $name, got none; attach it (terraform apply does), then run $own/install.sh again"
}

mount_volume() {
  local found=0 identity
  mountpoint -q "$data" && return
  find_volume
  identity=$(blkid -p -o value -s UUID "$device") || found=$?
  # 2: blkid looked and found nothing. Anything else but 0 means that it can't tell.
  if ((found == 2)); then
    mkfs.ext4 -q "$device" || fail 6 "expected mkfs.ext4 to format the empty volume $VOLUME_ID ($device); see: dmesg"
    identity=$(blkid -p -o value -s UUID "$device") || fail 6 "expected a file system on $device after mkfs.ext4, got none"
    say "formatted $VOLUME_ID"
  elif ((found != 0)) || [[ -z $identity ]]; then
    fail 6 "expected a file system or nothing at all on $VOLUME_ID ($device), got what blkid can't tell (exit code $found); it was left as it is"
  fi
  mkdir -p "$data"
  grep -q "^UUID=$identity " /etc/fstab || echo "UUID=$identity $data ext4 defaults,nofail,x-systemd.device-timeout=60 0 2" >>/etc/fstab
  mount "$data" || fail 6 "expected to mount $VOLUME_ID at $data; see: dmesg"
}

install_programs() {
  unpack "$JAVA_SHA256" "$JAVA_KEY"
  find_program java "$JAVA_KEY"
  "$program" -version >"$own/errors" 2>&1 ||
    fail 6 "expected s3://$RELEASE_BUCKET/$JAVA_KEY to run on $(uname -m), got: $(last_line "$own/errors")"
  lead java "${program%/bin/java}"
  unpack "$KAFKA_SHA256" "$KAFKA_KEY"
  find_program kafka-server-start.sh "$KAFKA_KEY"
  lead kafka "${program%/bin/kafka-server-start.sh}"
}

# lead <name> <folder>: $root/<name> leads to the folder of this version.
lead() {
  [[ $(readlink "$root/$1" || true) == "$2" ]] && return
  ln -sfn "$2" "$root/$1.partial"
  mv -fT "$root/$1.partial" "$root/$1"
  say "$1 is $2"
}

# configure <parameter> <file>: the file as the parameter has it; replaced whole, or not at all.
configure() {
  local file=/etc/kafka/$2
  timeout 60 aws ssm get-parameter --region "$AWS_REGION" --name "$CONFIGURATION/$1" \
    --query Parameter.Value --output text >"$file.partial" 2>"$own/errors" ||
    fail 4 "expected the parameter $CONFIGURATION/$1, got: $(last_line "$own/errors"); it is there when the apply has ended, then run $own/install.sh again"
  if cmp -s "$file.partial" "$file"; then
    rm -f "$file.partial"
    return
  fi
  chmod 0644 "$file.partial"
  mv -f "$file.partial" "$file"
  say "$file is new; a service that runs takes it at its next start"
}

begin
install_worker
id -u kafka >/dev/null 2>&1 || useradd --system --home-dir "$data" --no-create-home --shell /usr/sbin/nologin kafka
mount_volume
install -d -m 0750 -o kafka -g kafka "$data/zookeeper" "$data/log" /var/log/kafka
[[ -f $data/zookeeper/myid ]] || echo "$NODE_ID" >"$data/zookeeper/myid"
[[ $(<"$data/zookeeper/myid") == "$NODE_ID" ]] ||
  fail 6 "expected volume $VOLUME_ID to be of node $NODE_ID, got that of node $(<"$data/zookeeper/myid"); attach each node's own"
install_programs
mkdir -p /etc/kafka
configure zookeeper.properties zookeeper.properties
configure "$NODE_ID/server.properties" server.properties
install_units
keep_status "prepared: node $NODE_ID, volume $VOLUME_ID"
say "prepared: node $NODE_ID"
