# Against the stand-in: endpoints are objects there, and a second apply must find them as they are.
provider "aws" {
  region = "us-east-1"
}

variables {
  name               = "roundtrip-dev"
  region             = "us-east-1"
  account_id         = "123456789012"
  vpc_id             = "vpc-0123"
  route_table_ids    = ["rtb-0123"]
  subnet_ids         = ["subnet-0123", "subnet-4567"]
  security_group_ids = ["sg-0123"]
}

run "s3_by_gateway_and_the_rest_by_interfaces" {
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.route_table_ids == toset(["rtb-0123"])
    error_message = "S3 costs nothing and goes by the route tables"
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.vpc_endpoint_type == "Interface"])
    error_message = "interfaces answer to the services' usual names"
  }
  assert {
    condition     = aws_vpc_endpoint.interface["ssmmessages"].service_name == "com.amazonaws.us-east-1.ssmmessages"
    error_message = "Run Command goes through ssmmessages"
  }
  assert {
    condition     = startswith(output.s3_prefix_list_id, "pl-")
    error_message = "an egress rule can name S3"
  }
  assert {
    condition     = jsondecode(aws_vpc_endpoint.interface["ssm"].policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    error_message = "a login of another account gets no way out"
  }
}

run "a_second_apply_keeps_the_same_ones" {
  assert {
    condition     = output.ids == run.s3_by_gateway_and_the_rest_by_interfaces.ids
    error_message = "nothing is made again"
  }
}

run "a_service_fewer_leaves_the_others" {
  variables { services = ["ssm", "ssmmessages"] }

  assert {
    condition     = output.ids == { for service in ["s3", "ssm", "ssmmessages"] : service => run.s3_by_gateway_and_the_rest_by_interfaces.ids[service] }
    error_message = "keyed by service"
  }
}

run "no_interfaces_need_no_subnets" {
  command = plan
  variables {
    services           = []
    subnet_ids         = []
    security_group_ids = []
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0
    error_message = "the gateway alone"
  }
}

run "a_name_with_a_blank" {
  command = plan
  variables { name = "a b" }
  expect_failures = [var.name]
}

run "a_zone_for_a_region" {
  command = plan
  variables { region = "us-east-1a" }
  expect_failures = [var.region]
}

run "an_account_by_name" {
  command = plan
  variables { account_id = "main" }
  expect_failures = [var.account_id]
}

run "a_vpc_by_name" {
  command = plan
  variables { vpc_id = "main" }
  expect_failures = [var.vpc_id]
}

run "no_route_table" {
  command = plan
  variables { route_table_ids = [] }
  expect_failures = [var.route_table_ids]
}

run "interfaces_without_subnets" {
  command = plan
  variables { subnet_ids = [] }
  expect_failures = [var.subnet_ids]
}

run "interfaces_without_security_groups" {
  command = plan
  variables { security_group_ids = [] }
  expect_failures = [var.security_group_ids]
}

run "s3_by_an_interface" {
  command = plan
  variables { services = ["s3"] }
  expect_failures = [var.services]
}
