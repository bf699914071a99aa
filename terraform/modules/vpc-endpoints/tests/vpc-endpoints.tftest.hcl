mock_provider "aws" {}

variables {
  vpc_id             = "vpc-0123"
  region             = "us-east-1"
  subnet_ids         = ["subnet-1"]
  route_table_ids    = ["rtb-1"]
  security_group_ids = ["sg-1"]
}

run "runbooks_reach_hosts_without_the_internet" {
  command = plan

  assert {
    condition     = alltrue([for service in ["ssm", "ssmmessages", "ec2messages", "secretsmanager"] : aws_vpc_endpoint.interface[service].private_dns_enabled])
    error_message = "by the services' own names"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 through a gateway"
  }
}

run "a_vpc_by_name" {
  command = plan
  variables { vpc_id = "main" }
  expect_failures = [var.vpc_id]
}

run "a_region_by_its_city" {
  command = plan
  variables { region = "virginia" }
  expect_failures = [var.region]
}

run "no_subnet" {
  command = plan
  variables { subnet_ids = [] }
  expect_failures = [var.subnet_ids]
}

run "no_route_table" {
  command = plan
  variables { route_table_ids = [] }
  expect_failures = [var.route_table_ids]
}

run "no_security_group" {
  command = plan
  variables { security_group_ids = [] }
  expect_failures = [var.security_group_ids]
}

run "without_ssm" {
  command = plan
  variables { interface_services = ["logs"] }
  expect_failures = [var.interface_services]
}
