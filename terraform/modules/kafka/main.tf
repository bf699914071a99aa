locals {
  # By id, so that another node changes no other. Each node's place follows from its id: one after the other over the subnets.
  nodes = { for id in range(1, var.node_count + 1) : tostring(id) => { subnet_id = element(var.subnet_ids, id - 1) } }

  addresses = { for id, node in aws_instance.this : id => node.private_ip }

  # How many nodes may be lost while the others still elect: ZooKeeper needs more than half.
  tolerated_losses = floor((var.node_count - 1) / 2)
  replicas         = min(3, var.node_count)
}

data "aws_subnet" "this" {
  for_each = toset(var.subnet_ids)

  id = each.value
}

# A machine is replaced, its data stays: the volume is attached to the new one.
resource "aws_ebs_volume" "this" {
  for_each = local.nodes

  availability_zone = data.aws_subnet.this[each.value.subnet_id].availability_zone
  type              = "gp3"
  size              = var.volume_gigabytes
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_instance" "this" {
  #checkov:skip=CKV_AWS_126:Kafka and ZooKeeper say how they are themselves; five minutes are enough for disk and processor
  #checkov:skip=CKV_AWS_135:T3 and later always are; saying so would make a node anew that was made without
  for_each = local.nodes

  ami                    = var.ami
  instance_type          = var.instance_type
  subnet_id              = each.value.subnet_id
  vpc_security_group_ids = var.security_group_ids
  iam_instance_profile   = var.instance_profile
  user_data_base64       = local.user_data[each.key]
  tags                   = merge(var.tags, { Name = "${var.name}-${each.key}", role = "kafka" })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 20
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  # A newer image or release is for the next machine: one node after the other, by `terraform apply -replace`.
  lifecycle {
    ignore_changes = [ami, user_data, user_data_base64]
  }
}

resource "aws_volume_attachment" "this" {
  for_each = local.nodes

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.this[each.key].id
  instance_id = aws_instance.this[each.key].id
  # The file system is let go before the volume is.
  stop_instance_before_detaching = true
}

# Addresses are known when the machines are there, so what names them is kept where a node can fetch it.
resource "aws_ssm_parameter" "zookeeper" {
  #checkov:skip=CKV2_AWS_34:ports, addresses and paths; a SecureString would ask each reader for a key and keep nothing secret
  name        = "${var.parameter_path}/zookeeper.properties"
  description = "ZooKeeper's configuration, the same on every node"
  type        = "String"
  value       = templatefile("${path.module}/install/zookeeper.properties.tftpl", { addresses = local.addresses })
  tags        = var.tags
}

resource "aws_ssm_parameter" "server" {
  #checkov:skip=CKV2_AWS_34:ports, addresses and paths; a SecureString would ask each reader for a key and keep nothing secret
  for_each = local.nodes

  name        = "${var.parameter_path}/${each.key}/server.properties"
  description = "Kafka's configuration of node ${each.key}"
  type        = "String"
  value = templatefile("${path.module}/install/server.properties.tftpl", {
    id               = each.key
    zone             = data.aws_subnet.this[each.value.subnet_id].availability_zone
    addresses        = local.addresses
    replicas         = local.replicas
    replicas_in_sync = max(1, local.replicas - 1)
    retention_hours  = var.retention_hours
  })
  tags = var.tags
}

# What the brokers' clients read.
resource "aws_ssm_parameter" "cluster" {
  #checkov:skip=CKV2_AWS_34:ports, addresses and paths; a SecureString would ask each reader for a key and keep nothing secret
  name        = "${var.parameter_path}/cluster"
  description = "The Kafka cluster: nodes by id, and where clients find it"
  type        = "String"
  value = jsonencode({
    version         = 1
    nodes           = local.described
    brokers         = [for ip in values(local.addresses) : "${ip}:9092"]
    toleratedLosses = local.tolerated_losses
  })
  tags = var.tags
}

locals {
  described = [
    for id, node in aws_instance.this : { id = tonumber(id), instanceId = node.id, privateIp = node.private_ip, volumeId = aws_ebs_volume.this[id].id }
  ]
}

check "election" {
  assert {
    condition     = local.tolerated_losses > 0
    error_message = "${var.node_count} ZooKeepers elect no leader when one is lost: a majority of ${var.node_count} is ${var.node_count}. The cluster then stands still until the node is back. Take node_count = 3."
  }
  assert {
    condition     = var.node_count % 2 == 1
    error_message = "${var.node_count} ZooKeepers bear the loss of ${local.tolerated_losses}, as ${var.node_count - 1} do. Take an odd node_count."
  }
}
