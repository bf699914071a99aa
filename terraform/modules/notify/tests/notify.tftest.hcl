mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:roundtrip-dev-notify" }
  }
}

variables {
  function_name  = "roundtrip-dev-notify"
  environment    = "dev"
  package_file   = "./tests/package.zip"
  role_arn       = "arn:aws:iam::123456789012:role/notify"
  bucket         = { name = "roundtrip-dev", arn = "arn:aws:s3:::roundtrip-dev" }
  objects        = { phase = "failback/current.json" }
  topic_arn      = "arn:aws:sns:us-east-1:123456789012:roundtrip-dev-alarms"
  webhook_secret = "roundtrip/dev/slack"
}

run "calls_for_the_key_alone_and_says_what_failed" {
  command = apply

  assert {
    condition     = aws_s3_bucket_notification.this.lambda_function[0].filter_prefix == "failback/current.json" && aws_s3_bucket_notification.this.lambda_function[0].filter_suffix == "failback/current.json"
    error_message = "prefix and suffix are the whole key"
  }
  assert {
    condition     = aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination == var.topic_arn
    error_message = "failures go to the alarms' topic"
  }
  assert {
    condition     = aws_lambda_permission.bucket.source_account == "123456789012" && aws_lambda_permission.bucket.source_arn == var.bucket.arn
    error_message = "only this bucket of this account calls it"
  }
  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0
    error_message = "Slack is on the internet"
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ ROUNDTRIP_ENVIRONMENT = "dev", ROUNDTRIP_BUCKET = "roundtrip-dev", ROUNDTRIP_WEBHOOK_SECRET = "roundtrip/dev/slack" })
    error_message = "the secret by name, and no repository that wasn't given"
  }
}

run "a_function_name_with_a_dot" {
  command = plan
  variables { function_name = "a.b" }
  expect_failures = [var.function_name]
}

run "an_environment_nobody_has" {
  command = plan
  variables { environment = "staging" }
  expect_failures = [var.environment]
}

run "an_archive_that_was_not_built" {
  command = plan
  variables { package_file = "./tests/missing.zip" }
  expect_failures = [var.package_file]
}

run "a_role_by_name" {
  command = plan
  variables { role_arn = "notify" }
  expect_failures = [var.role_arn]
}

run "a_runtime_without_what_it_calls" {
  command = plan
  variables { runtime = "nodejs20.x" }
  expect_failures = [var.runtime]
}

run "nothing_to_tell" {
  command = plan
  variables { objects = {} }
  expect_failures = [var.objects]
}

run "a_topic_by_name" {
  command = plan
  variables { topic_arn = "alarms" }
  expect_failures = [var.topic_arn]
}

run "the_webhook_itself" {
  command = plan
  variables { webhook_secret = "https://hooks.slack.com/services/T/B/x" }
  expect_failures = [var.webhook_secret]
}

run "a_repository_by_its_name" {
  command = plan
  variables { repository_url = "acme/data" }
  expect_failures = [var.repository_url]
}

run "a_log_kept_for_two_days" {
  command = plan
  variables { log_retention_days = 2 }
  expect_failures = [var.log_retention_days]
}
