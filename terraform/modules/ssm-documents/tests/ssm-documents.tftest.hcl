provider "aws" {
  region = "us-east-1"
}

variables {
  directory = "./tests/good"
  prefix    = "roundtrip-tests"
}

run "each_file_is_a_document" {
  assert {
    condition     = output.names == { canary = "roundtrip-tests-canary" }
    error_message = "named as the runbooks call it"
  }
  assert {
    condition     = aws_ssm_document.this["canary"].content == file("./tests/good/canary.json")
    error_message = "byte for byte"
  }
}

run "a_folder_without_documents" {
  command = plan
  variables { directory = "./tests" }
  expect_failures = [var.directory]
}

run "a_document_of_schema_1_2" {
  command = plan
  variables { directory = "./tests/old" }
  expect_failures = [var.directory]
}

run "a_parameter_that_would_be_pasted_into_the_shell" {
  command = plan
  variables { directory = "./tests/loose" }
  expect_failures = [var.directory]
}

run "a_prefix_that_belongs_to_aws" {
  command = plan
  variables { prefix = "AWS-roundtrip" }
  expect_failures = [var.prefix]
}
