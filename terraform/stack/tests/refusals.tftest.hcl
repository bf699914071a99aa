# What the stack refuses before anything is made. How it is made stands in tests/terraform/stack.test.ts.
provider "aws" {
  region = "us-east-1"
}

variables {
  environment    = "dev"
  region         = "us-east-1"
  vpc_id         = "vpc-0123"
  s3_bucket_name = "roundtrip-dev-example"

  docdb_master_user_secret_name = "roundtrip/dev/master"
  docdb_master_username         = "administrator"
  docdb_secret_name             = "roundtrip/dev/documentdb"
  docdb_subnet_ids              = ["subnet-1", "subnet-2"]
  docdb_cluster_instance_class  = "db.t3.medium"
  docdb_ca_bundle_file          = "tests/refusals.tftest.hcl"

  mongodb_secret_name            = "roundtrip/dev/mongodb"
  mongodb_dms_secret_name        = "roundtrip/dev/mongodb-dms"
  dms_subnet_group_mongodb_docdb = { subnet_ids = ["subnet-1", "subnet-2"] }
  dms_ri_mongodb_docdb           = { replication_instance_class = "dms.t3.medium" }
  dms_egress_rules               = []

  lambda_create_user_db_package = "../modules/lambda/tests/package.zip"
  lambda_subnet_ids             = ["subnet-1"]
  lambda_egress_rules           = []
  ec2_subnet_id                 = "subnet-1"

  administrators    = ["administrator", "roundtrip"]
  application_users = [{ name = "shop", secret = "roundtrip/dev/shop" }]

  alarms = { subscribers = [{ protocol = "email", endpoint = "on-call@example.com" }] }
}

run "an_environment_nobody_has" {
  command = plan
  variables { environment = "staging" }
  expect_failures = [var.environment]
}

run "a_zone_for_a_region" {
  command = plan
  variables { region = "us-east-1a" }
  expect_failures = [var.region]
}

run "an_account_by_its_name" {
  command = plan
  variables { account_id = "shop" }
  expect_failures = [var.account_id]
}

run "nobody_administers" {
  command = plan
  variables { administrators = [] }
  expect_failures = [var.administrators]
}

run "no_application_writes" {
  command = plan
  variables { application_users = [] }
  expect_failures = [var.application_users]
}

run "tls_without_a_bundle" {
  command = plan
  variables { docdb_ca_bundle_file = null }
  expect_failures = [var.docdb_ca_bundle_file]
}

run "a_repository_with_its_environment" {
  command = plan
  variables {
    github = {
      provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
      repository   = "repo:acme/shop:environment:prod"
    }
  }
  expect_failures = [var.github]
}

run "a_compression_nobody_reads" {
  command = plan
  variables { settings = { compression = "gzip" } }
  expect_failures = [var.settings]
}

run "a_drain_nobody_knows" {
  command = plan
  variables { settings = { drain = "wait" } }
  expect_failures = [var.settings]
}

run "the_webhook_itself_for_its_secret" {
  command = plan
  variables { slack = { webhook_secret_name = "https://hooks.slack.com/services/T/B/x" } }
  expect_failures = [var.slack]
}

run "a_repository_by_its_name" {
  command = plan
  variables { slack = { webhook_secret_name = "roundtrip/dev/shop", repository_url = "acme/shop" } }
  expect_failures = [var.slack]
}

run "slack_is_told_with_the_repository_of_github" {
  command = plan
  variables {
    slack                 = { webhook_secret_name = "roundtrip/dev/shop" }
    lambda_notify_package = "../modules/notify/tests/package.zip"
    github = {
      provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
      repository   = "repo:acme@12/shop@34"
    }
  }

  assert {
    condition     = local.repository_url == "https://github.com/acme/shop"
    error_message = "without the numbers of GitHub's subject, got ${local.repository_url}"
  }
  assert {
    condition     = length(module.notify) == 1
    error_message = "the function is made"
  }
}

run "a_policy_of_conflicts_nobody_has" {
  command = plan
  variables { settings = { conflictPolicy = "newest" } }
  expect_failures = [var.settings]
}

run "a_schedule_of_another_clock" {
  command = plan
  variables { backup_schedule = "0 24 * * *" }
  expect_failures = [var.backup_schedule]
}

run "a_compression_of_backups_nobody_reads" {
  command = plan
  variables { backup_compression = "none" }
  expect_failures = [var.backup_compression]
}

run "a_verification_a_day_later" {
  command = plan
  variables { backup_verify_after_minutes = 1440 }
  expect_failures = [var.backup_verify_after_minutes]
}

run "an_archive_of_the_oplog_hours_late" {
  command = plan
  variables { backup_oplog_flush_seconds = 3600 }
  expect_failures = [var.backup_oplog_flush_seconds]
}

run "a_level_nobody_has" {
  command = plan
  variables { backup_verify_levels = [1, 4] }
  expect_failures = [var.backup_verify_levels]
}

run "a_scratch_server_that_is_in_use" {
  command = plan
  variables { backup_scratch_secret_name = "roundtrip/dev/mongodb" }
  expect_failures = [var.backup_scratch_secret_name]
}
