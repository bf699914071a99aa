mock_provider "aws" {}

variables {
  vpc_id = "vpc-0123"
  groups = {
    documentdb = {
      name        = "documentdb"
      description = "DocumentDB"
      ingress     = [{ description = "DMS", from_port = 27017, to_port = 27017, group = "dms" }]
    }
    dms = {
      name        = "dms"
      description = "DMS"
      ingress     = [{ description = "from a group made elsewhere", from_port = 443, to_port = 443, group_id = "sg-0fed" }]
      egress      = [{ description = "anywhere", protocol = "-1", cidr_ipv4 = "0.0.0.0/0" }]
    }
  }
}

run "rules_name_groups_and_are_keyed_by_what_they_open" {
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.this) == ["dms tcp 443-443 sg-0fed", "documentdb tcp 27017-27017 dms"]
    error_message = "a key of its own"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["documentdb tcp 27017-27017 dms"].referenced_security_group_id == aws_security_group.this["dms"].id
    error_message = "from the other group"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["dms tcp 443-443 sg-0fed"].referenced_security_group_id == "sg-0fed"
    error_message = "from the group made elsewhere"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.this["dms -1 -1--1 0.0.0.0/0"].ip_protocol == "-1"
    error_message = "every protocol, no ports"
  }
}

run "a_vpc_by_name" {
  command = plan
  variables {
    vpc_id = "main"
  }
  expect_failures = [var.vpc_id]
}

run "a_name_that_looks_like_an_id" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "sg-a"
        description = "a group"
        ingress     = []
      }
    }
  }
  expect_failures = [var.groups]
}

run "no_description" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = ""
        ingress     = []
      }
    }
  }
  expect_failures = [var.groups]
}

run "two_peers" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "r", from_port = 1, to_port = 1, cidr_ipv4 = "10.0.0.0/8", group = "a" }]
      }
    }
  }
  expect_failures = [var.groups]
}

run "a_group_there_is_not" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "r", from_port = 1, to_port = 1, group = "b" }]
      }
    }
  }
  expect_failures = [var.groups]
}

run "an_address_that_is_none" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "r", from_port = 1, to_port = 1, cidr_ipv4 = "10.0.0" }]
      }
    }
  }
  expect_failures = [var.groups]
}

run "ports_in_the_wrong_order" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "r", from_port = 2, to_port = 1, group = "a" }]
      }
    }
  }
  expect_failures = [var.groups]
}

run "open_to_the_internet" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "r", from_port = 22, to_port = 22, cidr_ipv4 = "0.0.0.0/0" }]
      }
    }
  }
  expect_failures = [var.groups]
}

run "a_group_made_elsewhere_by_name" {
  command = plan
  variables {
    groups = {
      a = {
        name        = "a"
        description = "a group"
        ingress     = [{ description = "EKS", from_port = 9092, to_port = 9092, group_id = "eks-nodes" }]
      }
    }
  }
  expect_failures = [var.groups]
}
