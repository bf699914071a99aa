# What the bootstrap refuses. What it makes stands in tests/terraform/apply-role.test.ts and empty-account.test.ts.
provider "aws" {
  region = "us-east-1"
}

variables {
  region            = "us-east-1"
  state_bucket_name = "roundtrip-state-example"
}

run "a_zone_for_a_region" {
  command = plan
  variables { region = "us-east-1a" }
  expect_failures = [var.region]
}

run "a_repository_with_its_environment" {
  command = plan
  variables { github = { repository = "repo:acme/shop:environment:prod", environments = ["prod"] } }
  expect_failures = [var.github]
}

run "every_environment" {
  command = plan
  variables { github = { repository = "repo:acme/shop", environments = ["*"] } }
  expect_failures = [var.github]
}

run "a_prefix_that_cannot_begin_the_names" {
  command = plan
  variables { name_prefix = "Round/Trip" }
  expect_failures = [var.name_prefix]
}
