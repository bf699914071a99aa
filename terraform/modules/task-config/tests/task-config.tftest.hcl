# The comparison with roundtrip's own code, on generated files, is tests/terraform/task-config.test.ts.
variables {
  tasks_file  = "./tests/files/tasks.yaml"
  environment = "dev"
}

run "dev_has_its_overrides" {
  command = plan

  assert {
    condition     = output.tasks["shop-orders"].running == false
    error_message = "dev doesn't run this task"
  }
  assert {
    condition     = output.tasks["shop-orders"].settings.FullLoadSettings.MaxFullLoadSubTasks == 2
    error_message = "dev loads two collections at a time"
  }
  assert {
    condition     = output.tasks["shop-orders"].endpoint_id == "documentdb-shop-orders"
    error_message = "the endpoint is named after the database"
  }
  assert {
    condition     = length(jsondecode(output.tasks["shop-orders"].table_mappings).rules) == 3
    error_message = "two selection rules and one for the parallel load"
  }
  assert {
    condition     = output.target_endpoints == { documentdb-shop-orders = { database = "shop_orders" } }
    error_message = "one endpoint a database"
  }
}

run "prod_has_none_of_them" {
  command = plan
  variables { environment = "prod" }

  assert {
    condition     = output.tasks["shop-orders"].running && output.tasks["shop-orders"].settings.FullLoadSettings.MaxFullLoadSubTasks == 8
    error_message = "prod has what the task says, or else DMS's own"
  }
}

run "an_environment_nobody_has_is_refused" {
  command = plan
  variables { environment = "staging" }
  expect_failures = [var.environment]
}

run "a_file_that_is_not_there_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/missing.yaml" }
  expect_failures = [var.tasks_file]
}

run "another_version_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/version.yaml" }
  expect_failures = [output.tasks]
}

run "a_name_that_is_no_text_to_terraform_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/unquoted.yaml" }
  expect_failures = [output.tasks]
}

run "an_id_twice_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/twice.yaml" }
  expect_failures = [output.tasks]
}

run "a_collection_twice_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/collection-twice.yaml" }
  expect_failures = [output.tasks]
}

run "a_database_without_letters_is_refused" {
  command = plan
  variables { tasks_file = "./tests/files/nameless.yaml" }
  expect_failures = [output.tasks]
}

run "two_databases_on_one_endpoint_are_refused" {
  command = plan
  variables { tasks_file = "./tests/files/endpoint-shared.yaml" }
  expect_failures = [output.target_endpoints]
}
