provider "aws" {
  region = "us-east-1"
}

variables {
  cluster_identifier   = "roundtrip-dev"
  environment          = "dev"
  master               = { username = "administrator", secret_id = "tests/documentdb/master" }
  instance_class       = "db.t3.medium"
  subnet_group_name    = "roundtrip-dev"
  parameter_group_name = "roundtrip-dev"
  subnet_ids           = ["subnet-1", "subnet-2"]
  security_group_ids   = ["sg-1"]
}

run "the_master_secret_is_there" {
  module {
    source = "./tests/master"
  }
}

run "a_cluster_in_capitals" {
  command = plan
  variables {
    cluster_identifier = "Roundtrip"
  }
  expect_failures = [var.cluster_identifier]
}

run "an_environment_nobody_has" {
  command = plan
  variables {
    environment = "staging"
  }
  expect_failures = [var.environment]
}

run "an_engine_past_its_end" {
  command = plan
  variables {
    engine_version = "3.6.0"
  }
  expect_failures = [var.engine_version]
}

run "a_master_user_with_a_hyphen" {
  command = plan
  variables {
    master = { username = "a-b", secret_id = "s" }
  }
  expect_failures = [var.master]
}

run "half_a_password_version" {
  command = plan
  variables {
    master = { username = "administrator", secret_id = "s", password_version = 0.5 }
  }
  expect_failures = [var.master]
}

run "a_port_aws_refuses" {
  command = plan
  variables {
    port = 80
  }
  expect_failures = [var.port]
}

run "the_default_subnet_group" {
  command = plan
  variables {
    subnet_group_name = "default"
  }
  expect_failures = [var.subnet_group_name]
}

run "one_subnet" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}

run "two_zones" {
  command = plan
  variables {
    availability_zones = ["us-east-1a", "us-east-1b"]
  }
  expect_failures = [var.availability_zones]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}

run "prod_without_protection" {
  command = plan
  variables {
    environment         = "prod"
    deletion_protection = false
  }
  expect_failures = [var.deletion_protection]
}

run "prod_without_final_snapshot" {
  command = plan
  variables {
    environment         = "prod"
    skip_final_snapshot = true
  }
  expect_failures = [var.skip_final_snapshot]
}

run "a_class_of_ec2" {
  command = plan
  variables {
    instance_class = "t3.medium"
  }
  expect_failures = [var.instance_class]
}

run "no_instance" {
  command = plan
  variables {
    instance_count = 0
  }
  expect_failures = [var.instance_count]
}

run "backups_for_a_year" {
  command = plan
  variables {
    backup_retention_days = 365
  }
  expect_failures = [var.backup_retention_days]
}

run "a_backup_window_nobody_reads" {
  command = plan
  variables {
    backup_window = "2 to 3"
  }
  expect_failures = [var.backup_window]
}

run "a_maintenance_window_nobody_reads" {
  command = plan
  variables {
    maintenance_window = "sunday"
  }
  expect_failures = [var.maintenance_window]
}

run "a_parameter_group_in_capitals" {
  command = plan
  variables {
    parameter_group_name = "Roundtrip"
  }
  expect_failures = [var.parameter_group_name]
}

run "tls_of_another_world" {
  command = plan
  variables {
    tls = "on"
  }
  expect_failures = [var.tls]
}

run "change_streams_for_a_minute" {
  command = plan
  variables {
    change_stream_retention_seconds = 60
  }
  expect_failures = [var.change_stream_retention_seconds]
}
