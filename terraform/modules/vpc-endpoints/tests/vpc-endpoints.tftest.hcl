# Against the stand-in: a second apply must find the endpoints as they are.
provider "aws" {
  region = "us-east-1"
}

variables {
  vpc_id             = "vpc-0123"
  region             = "us-east-1"
  subnet_ids         = ["subnet-1"]
  route_table_ids    = ["rtb-1"]
  security_group_ids = ["sg-1"]
}

run "runbooks_reach_hosts_without_the_internet" {
  assert {
    condition     = alltrue([for service in ["ssm", "ssmmessages", "ec2messages", "secretsmanager"] : aws_vpc_endpoint.interface[service].private_dns_enabled])
    error_message = "by the services' own names"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 through a gateway"
  }
  assert {
    condition     = startswith(output.s3_prefix_list_id, "pl-")
    error_message = "an egress rule can name S3"
  }
  assert {
    condition     = jsondecode(aws_vpc_endpoint.interface["ssm"].policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    error_message = "only for this account"
  }
}

run "a_second_apply_keeps_the_same_ones" {
  assert {
    condition     = output.ids == run.runbooks_reach_hosts_without_the_internet.ids
    error_message = "nothing is made again"
  }
}

run "a_service_fewer_leaves_the_others" {
  variables { interface_services = ["ssm", "ssmmessages", "ec2messages", "secretsmanager"] }

  assert {
    condition     = output.ids == { for service in ["s3", "ssm", "ssmmessages", "ec2messages", "secretsmanager"] : service => run.runbooks_reach_hosts_without_the_internet.ids[service] }
    error_message = "keyed by service"
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
