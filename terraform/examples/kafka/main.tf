# A Kafka cluster of three nodes in three zones, by itself: its machines, volumes and configuration. Nothing is let in from outside.
provider "aws" {
  region = "us-east-1"
}

module "security_groups" {
  source = "../../modules/security-groups"

  vpc_id = "vpc-0123456789abcdef0"
  groups = {
    kafka = {
      name        = "orders-qa-kafka"
      description = "Kafka"
      ingress     = [for port in [2181, 2888, 3888, 9092] : { description = "among the nodes", from_port = port, to_port = port, group = "kafka" }]
      egress      = [for port in [2181, 2888, 3888, 9092] : { description = "among the nodes", from_port = port, to_port = port, group = "kafka" }]
    }
  }
}

module "role" {
  source = "../../modules/iam"

  roles = {
    node = {
      name                = "orders-qa-kafka-node"
      policy_name         = "orders-qa-kafka-node"
      description         = "A Kafka node"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements = [
        {
          sid       = "Install"
          why       = "modules/kafka/install/install.sh: the worker, Java and Kafka"
          actions   = ["s3:GetObject"]
          resources = ["arn:aws:s3:::orders-releases/*"]
        },
        {
          sid       = "ReadConfiguration"
          why       = "modules/kafka/install/install.sh: what Terraform keeps of the cluster, and the environment's document"
          actions   = ["ssm:GetParameter"]
          resources = ["arn:aws:ssm:us-east-1:123456789012:parameter/orders/qa/kafka/*", "arn:aws:ssm:us-east-1:123456789012:parameter/orders/qa/environment"]
        },
      ]
    }
  }
}

module "kafka" {
  source = "../../modules/kafka"

  name               = "orders-qa-kafka"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210", "subnet-00112233445566778"]
  ami                = "ami-0123456789abcdef0"
  security_group_ids = [module.security_groups.ids["kafka"]]
  instance_profile   = module.role.instance_profiles["node"]
  parameter_path     = "/orders/qa/kafka"
  release = {
    region                = "us-east-1"
    bucket                = "orders-releases"
    environment_parameter = "/orders/qa/environment"
    worker                = { key = "roundtrip-worker-linux-x64", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
    java                  = { key = "java-17.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
    kafka                 = { key = "kafka_2.13-3.9.2.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  }
}

output "brokers" {
  description = "Where clients find the cluster."
  value       = module.kafka.brokers
}
