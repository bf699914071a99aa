provider "aws" {
  region = "us-east-1"
}

variables {
  name               = "tests-kafka"
  subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
  ami                = "ami-0123456789abcdef0"
  security_group_ids = ["sg-0123"]
  instance_profile   = "tests"
  parameter_path     = "/roundtrip/dev/kafka"
  release = {
    region                = "us-east-1"
    bucket                = "tests-releases"
    environment_parameter = "/roundtrip/dev/environment"
    worker                = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
    java                  = { key = "java.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
    kafka                 = { key = "kafka.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
  }
}

run "three_nodes_know_each_other" {
  assert {
    condition     = output.tolerated_losses == 1 && length(output.nodes) == 3 && length(distinct(output.nodes[*].instanceId)) == 3
    error_message = "three nodes bear the loss of one"
  }
  assert {
    condition     = alltrue([for node in output.nodes : strcontains(aws_ssm_parameter.zookeeper.value, "server.${node.id}=${node.privateIp}:2888:3888;${node.privateIp}:2181\n")])
    error_message = "every node is in ZooKeeper's list"
  }
  assert {
    condition     = alltrue([for node in output.nodes : strcontains(aws_ssm_parameter.server[node.id].value, "broker.id=${node.id}\n") && strcontains(aws_ssm_parameter.server[node.id].value, "listeners=PLAINTEXT://${node.privateIp}:9092\n")])
    error_message = "each broker has its own id and address"
  }
  assert {
    condition     = strcontains(aws_ssm_parameter.server["1"].value, "default.replication.factor=3\n") && strcontains(aws_ssm_parameter.server["1"].value, "min.insync.replicas=2\n")
    error_message = "a message stands on two nodes before it is acknowledged"
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.this : volume.encrypted]) && alltrue([for node in aws_instance.this : node.metadata_options[0].http_tokens == "required" && node.root_block_device[0].encrypted])
    error_message = "no clear disk, no IMDSv1"
  }
  assert {
    condition     = alltrue([for id, attached in aws_volume_attachment.this : attached.volume_id == aws_ebs_volume.this[id].id && attached.instance_id == aws_instance.this[id].id])
    error_message = "each node has its own volume"
  }
}

run "a_fourth_node_changes_no_other" {
  variables {
    node_count = 4
  }
  assert {
    condition     = alltrue([for index, node in run.three_nodes_know_each_other.nodes : node == output.nodes[index]])
    error_message = "the three are the same machines"
  }
  expect_failures = [check.election]
}

run "two_zookeepers_that_can_not_elect" {
  command = plan
  variables {
    node_count = 2
  }
  expect_failures = [check.election]
}

run "a_name_with_a_slash" {
  command = plan
  variables {
    name = "a/b"
  }
  expect_failures = [var.name]
}

run "one_node" {
  command = plan
  variables {
    node_count = 1
  }
  expect_failures = [var.node_count]
}

run "a_subnet_by_name" {
  command = plan
  variables {
    subnet_ids = ["private"]
  }
  expect_failures = [var.subnet_ids]
}

run "an_image_by_name" {
  command = plan
  variables {
    ami = "debian"
  }
  expect_failures = [var.ami]
}

run "a_type_that_is_none" {
  command = plan
  variables {
    instance_type = "large"
  }
  expect_failures = [var.instance_type]
}

run "a_volume_of_a_gigabyte" {
  command = plan
  variables {
    volume_gigabytes = 1
  }
  expect_failures = [var.volume_gigabytes]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}

run "a_path_without_a_slash" {
  command = plan
  variables {
    parameter_path = "kafka"
  }
  expect_failures = [var.parameter_path]
}

run "messages_kept_for_half_an_hour" {
  command = plan
  variables {
    retention_hours = 0.5
  }
  expect_failures = [var.retention_hours]
}

run "a_checksum_that_is_none" {
  command = plan
  variables {
    release = {
      region                = "us-east-1"
      bucket                = "tests-releases"
      environment_parameter = "/roundtrip/dev/environment"
      worker                = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      java                  = { key = "java.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      kafka                 = { key = "kafka.tgz", sha256 = "d41d8cd98f00b204e9800998ecf8427e" }
    }
  }
  expect_failures = [var.release]
}

run "a_key_that_a_shell_would_read" {
  command = plan
  variables {
    release = {
      region                = "us-east-1"
      bucket                = "tests-releases"
      environment_parameter = "/roundtrip/dev/environment"
      worker                = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      java                  = { key = "java.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      kafka                 = { key = "kafka$(reboot)", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
    }
  }
  expect_failures = [var.release]
}

run "a_bucket_that_is_none" {
  command = plan
  variables {
    release = {
      region                = "us-east-1"
      bucket                = "Tests Releases"
      environment_parameter = "/roundtrip/dev/environment"
      worker                = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      java                  = { key = "java.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      kafka                 = { key = "kafka.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
    }
  }
  expect_failures = [var.release]
}

run "an_environment_without_a_slash" {
  command = plan
  variables {
    release = {
      region                = "us-east-1"
      bucket                = "tests-releases"
      environment_parameter = "environment"
      worker                = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      java                  = { key = "java.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      kafka                 = { key = "kafka.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
    }
  }
  expect_failures = [var.release]
}
