provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "roundtrip-tests-s3"
  environment = "dev"
}

run "encrypted_versioned_closed_and_tls_only" {
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "versions are kept"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "encrypted by default"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "denied without TLS"
  }
  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id => one(rule.expiration).days if length(rule.expiration) > 0 } == {
      expire-dumps       = 30
      expire-backups     = 30
      expire-oplog       = 2
      expire-inspections = 7
      expire-preflights  = 7
      expire-notices     = 90
      expire-terraform   = 90
    }
    error_message = "dumps, backups, answers and records of locks expire, nothing else does"
  }
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : length(rule.expiration) == 0 || contains(["dump", "backup", "oplog"], coalesce(one(one(rule.filter).tag[*].value), "none")) || try(length(one(rule.filter).prefix) > 0, false)
    ])
    error_message = "no rule that expires reaches the log of a failback"
  }
}

run "old_versions_of_what_is_made_daily_go_earlier" {
  command = plan

  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id => one(rule.noncurrent_version_expiration).noncurrent_days if length(rule.noncurrent_version_expiration) > 0 } == {
      unfinished-uploads = 30
      expire-dumps       = 30
      expire-backups     = 7
      expire-oplog       = 1
    }
    error_message = "old versions: 30 days, of backups a week, of the oplog's archive a day"
  }
}

run "a_second_apply_changes_nothing" {
  assert {
    condition     = output.name == run.encrypted_versioned_closed_and_tls_only.name
    error_message = "the same bucket"
  }
}

run "a_key_of_ones_own" {
  command = plan
  variables { kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/0123" }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "KMS where a key is given"
  }
}

run "a_name_with_a_dot" {
  command = plan
  variables { name = "a.b.c" }
  expect_failures = [var.name]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}

run "dumps_for_a_day" {
  command = plan
  variables { dump_retention_days = 1 }
  expect_failures = [var.dump_retention_days]
}

run "backups_for_a_day" {
  command = plan
  variables { backup_retention_days = 1 }
  expect_failures = [var.backup_retention_days]
}

run "an_oplog_for_a_day" {
  command = plan
  variables { oplog_retention_days = 1 }
  expect_failures = [var.oplog_retention_days]
}

run "versions_for_no_day" {
  command = plan
  variables { noncurrent_retention_days = 0 }
  expect_failures = [var.noncurrent_retention_days]
}

run "a_prod_bucket_that_would_go_with_its_objects" {
  command = plan
  variables {
    environment   = "prod"
    force_destroy = true
  }
  expect_failures = [var.force_destroy]
}

run "an_environment_nobody_has" {
  command = plan
  variables { environment = "staging" }
  expect_failures = [var.environment]
}

run "answers_for_no_day" {
  command = plan
  variables { answer_retention_days = 0 }
  expect_failures = [var.answer_retention_days]
}
