locals {
  has_kafka      = var.kafka != null
  kafka_name     = "${local.prefix}-kafka"
  kafka_path     = "/roundtrip/${var.environment}/kafka"
  kafka_arns     = "${local.arns}:ssm:${local.in_account}:parameter${local.kafka_path}"
  kafka_programs = local.has_kafka ? [for each in [var.kafka.release.worker, var.kafka.release.java, var.kafka.release.kafka] : "${local.arns}:s3:::${var.kafka.release.bucket}/${each.key}"] : []
  kafka_clients  = local.has_kafka && try(length(var.kafka.client_role_arns), 0) > 0

  # ZooKeeper's and Kafka's ports among the nodes.
  kafka_own = [
    for name, port in { "ZooKeeper" = 2181, "ZooKeeper: following" = 2888, "ZooKeeper: electing" = 3888, "Kafka" = 9092 } :
    { description = name, protocol = "tcp", from_port = port, to_port = port, group = "kafka" }
  ]
  kafka_from_clients = local.has_kafka ? concat(
    [for id in var.kafka.client_security_group_ids : { description = "Kafka's clients", protocol = "tcp", from_port = 9092, to_port = 9092, group_id = id }],
    [for cidr in var.kafka.client_cidr_blocks : { description = "Kafka's clients", protocol = "tcp", from_port = 9092, to_port = 9092, cidr_ipv4 = cidr }],
  ) : []
  kafka_groups = {
    for key in local.has_kafka ? ["kafka"] : [] : key => {
      name        = local.kafka_name
      description = "Kafka of Roundtrip"
      ingress     = concat(local.kafka_own, local.kafka_from_clients)
      egress      = concat(local.kafka_own, local.to_s3, local.to_services)
    }
  }

  # What the runbook kafka-setup reads in the environment's document.
  kafka_document = [for cluster in module.kafka : { nodes = [for node in cluster.nodes : { id = node.id, instanceId = node.instanceId, privateIp = node.privateIp }] }]

  kafka_roles = {
    kafka_node = {
      name                = "${local.kafka_name}-node"
      policy_name         = "${local.kafka_name}-node"
      description         = "A Kafka node"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["${local.arns}:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements = concat([
        {
          sid       = "Install"
          why       = "terraform/modules/kafka/install/install.sh: the worker, Java and Kafka"
          actions   = ["s3:GetObject"]
          resources = local.kafka_programs
        },
        {
          sid       = "ReadConfiguration"
          why       = "terraform/modules/kafka/install/install.sh: what Terraform keeps of the cluster; and the environment's document"
          actions   = ["ssm:GetParameter"]
          resources = ["${local.kafka_arns}/*", "${local.arns}:ssm:${local.in_account}:parameter${local.environment_parameter}"]
        },
      ], local.use_key)
    }
    kafka_clients = {
      name        = "${local.kafka_name}-clients"
      policy_name = "${local.kafka_name}-clients"
      description = "Clients of Kafka, such as EKS, find its brokers"
      principals  = try(var.kafka.client_role_arns, [])
      statements = concat([
        {
          sid       = "FindBrokers"
          why       = "terraform/modules/kafka/main.tf: where clients find the cluster"
          actions   = ["ssm:GetParameter"]
          resources = ["${local.kafka_arns}/cluster"]
        },
      ], local.use_key)
    }
  }
}

module "kafka" {
  source = "../modules/kafka"
  count  = local.has_kafka ? 1 : 0

  name               = local.kafka_name
  node_count         = var.kafka.node_count
  subnet_ids         = var.kafka.subnet_ids
  ami                = local.ami
  instance_type      = var.kafka.instance_type
  volume_gigabytes   = var.kafka.volume_gigabytes
  retention_hours    = var.kafka.retention_hours
  security_group_ids = [module.security_groups.ids["kafka"]]
  instance_profile   = module.iam.instance_profiles["kafka_node"]
  kms_key_arn        = var.kms_key_arn
  parameter_path     = local.kafka_path
  release            = merge(var.kafka.release, { region = var.region, environment_parameter = local.environment_parameter })
}

output "kafka" {
  description = "The Kafka cluster: nodes (id, instance, address), brokers, how many losses are borne; null without one."
  value       = one(module.kafka)
}
