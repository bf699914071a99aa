mock_provider "aws" {}

variables {
  function_name      = "roundtrip-dev-create-user-db"
  environment        = "dev"
  package_file       = "./tests/package.zip"
  role_arn           = "arn:aws:iam::123456789012:role/create-user-db"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  bucket             = "roundtrip-dev"
  master_secret      = "roundtrip/dev/master"
  replication_secret = "roundtrip/dev/replication"
  documentdb         = { host = "documentdb.test" }
}

run "terraform_calls_nothing_unless_told" {
  command = plan

  assert {
    condition     = length(aws_lambda_invocation.provision) == 0
    error_message = "roundtrip apply calls the function"
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("./tests/package.zip")
    error_message = "the hash is that of the archive's bytes"
  }
}

run "what_is_declared_is_the_input" {
  command = plan
  variables {
    provision = {
      databases = [{ name = "shop", collections = [{ name = "orders" }, { name = "returns", renamedFrom = "refunds" }] }]
      trigger   = "v1"
    }
  }

  assert {
    condition = jsondecode(aws_lambda_invocation.provision[0].input) == {
      version     = 1
      environment = "dev"
      databases   = [{ name = "shop", collections = [{ name = "orders" }, { name = "returns", renamedFrom = "refunds" }] }]
      trigger     = "v1"
    }
    error_message = "names and nothing else"
  }
  assert {
    condition     = aws_lambda_invocation.provision[0].lifecycle_scope == "CRUD"
    error_message = "called on destroy too"
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
  variables { role_arn = "create-user-db" }
  expect_failures = [var.role_arn]
}

run "a_runtime_past_its_end" {
  command = plan
  variables { runtime = "nodejs18.x" }
  expect_failures = [var.runtime]
}

run "a_timeout_of_a_second" {
  command = plan
  variables { timeout_seconds = 1 }
  expect_failures = [var.timeout_seconds]
}

run "subnets_without_security_groups" {
  command = plan
  variables { security_group_ids = [] }
  expect_failures = [var.subnet_ids]
}

run "a_port_there_is_not" {
  command = plan
  variables { documentdb = { host = "documentdb.test", port = 0 } }
  expect_failures = [var.documentdb]
}

run "a_log_kept_for_two_days" {
  command = plan
  variables { log_retention_days = 2 }
  expect_failures = [var.log_retention_days]
}
