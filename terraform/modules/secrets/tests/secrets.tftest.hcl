# Against the stand-in, not mocks: what is written, and what is not written again, is Secrets Manager's to tell.
provider "aws" {
  region = "us-east-1"
}

variables {
  replication_secret_name = "tests/secrets/replication"
  replication_username    = "dms_replication"
  recovery_window_days    = 0
}

run "the_secret_is_made_with_a_password_no_state_holds" {
  assert {
    condition     = aws_secretsmanager_secret_version.replication.has_secret_string_wo
    error_message = "written, not kept"
  }
  assert {
    condition     = aws_secretsmanager_secret_version.replication.secret_string == null
    error_message = "no password in the state"
  }
}

run "another_apply_keeps_the_password" {
  assert {
    condition     = output.replication_secret_version_id == run.the_secret_is_made_with_a_password_no_state_holds.replication_secret_version_id
    error_message = "the same version stands"
  }
}

run "another_user_gets_another_password" {
  variables { replication_username = "dms_replication_2" }

  assert {
    condition     = output.replication_secret_version_id != run.the_secret_is_made_with_a_password_no_state_holds.replication_secret_version_id
    error_message = "a new user name makes a new version"
  }
}

run "a_name_with_a_blank" {
  command = plan
  variables { replication_secret_name = "a b" }
  expect_failures = [var.replication_secret_name]
}

run "a_user_that_begins_with_a_digit" {
  command = plan
  variables { replication_username = "1dms" }
  expect_failures = [var.replication_username]
}

run "half_a_generation" {
  command = plan
  variables { password_generation = 1.5 }
  expect_failures = [var.password_generation]
}

run "a_window_of_three_days" {
  command = plan
  variables { recovery_window_days = 3 }
  expect_failures = [var.recovery_window_days]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}
