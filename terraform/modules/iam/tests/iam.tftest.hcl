provider "aws" {
  region = "us-east-1"
}

variables {
  roles = {
    host = {
      name                = "tests-host"
      policy_name         = "tests-host"
      description         = "A host"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements          = [{ sid = "Read", why = "tests", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::bucket/*"] }]
    }
    runner = {
      name        = "tests-runner"
      policy_name = "tests-runner"
      description = "Workflows of one environment"
      github = {
        provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        subjects     = ["repo:acme/shop:environment:dev"]
      }
      statements = [{ sid = "Read", why = "tests", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::bucket/*"] }]
    }
    clients = {
      name        = "tests-clients"
      policy_name = "tests-clients"
      description = "Roles of another cluster"
      principals  = ["arn:aws:iam::123456789012:role/eks-pods"]
      statements  = [{ sid = "Read", why = "tests", actions = ["ssm:GetParameter"], resources = ["arn:aws:ssm:us-east-1:123456789012:parameter/x"] }]
    }
    dms = {
      name        = "tests-dms"
      policy_name = "tests-dms"
      description = "DMS reads a secret"
      service     = "dms.us-east-1.amazonaws.com"
      statements  = [{ sid = "Read", why = "tests", actions = ["secretsmanager:GetSecretValue"], resources = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:x"] }]
    }
  }
}

run "roles_with_what_they_may_do" {
  assert {
    condition     = jsondecode(aws_iam_role_policy.this["host"].policy).Statement[0].Action == "s3:GetObject"
    error_message = "the statement"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["dms"].assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "only for this account"
  }
  assert {
    condition = jsondecode(aws_iam_role.this["runner"].assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:dev"
    }
    error_message = "exactly these workflows, and no other audience"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["runner"].assume_role_policy).Statement[0].Action == "sts:AssumeRoleWithWebIdentity"
    error_message = "by GitHub's token"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["clients"].assume_role_policy).Statement[0].Principal.AWS == "arn:aws:iam::123456789012:role/eks-pods"
    error_message = "exactly these roles"
  }
  assert {
    condition     = output.instance_profiles == { host = "tests-host" }
    error_message = "a profile for hosts"
  }
}

run "a_name_with_a_blank" {
  command = plan
  variables {
    roles = { a = { name = "a b", policy_name = "worker", description = "a role", service = "lambda.amazonaws.com", statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "a_service_that_is_none" {
  command = plan
  variables {
    roles = { a = { name = "worker", policy_name = "worker", description = "a role", service = "lambda", statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "a_wildcard_action" {
  command = plan
  variables {
    roles = { a = { name = "worker", policy_name = "worker", description = "a role", service = "lambda.amazonaws.com", statements = [{ sid = "Read", why = "code", actions = ["s3:*"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "no_reason" {
  command = plan
  variables {
    roles = { a = { name = "worker", policy_name = "worker", description = "a role", service = "lambda.amazonaws.com", statements = [{ sid = "Read", why = "", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "no_resource" {
  command = plan
  variables {
    roles = { a = { name = "worker", policy_name = "worker", description = "a role", service = "lambda.amazonaws.com", statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = [] }] } }
  }
  expect_failures = [var.roles]
}

run "a_service_and_workflows" {
  command = plan
  variables {
    roles = { a = { name = "runner", policy_name = "runner", description = "a role", service = "lambda.amazonaws.com", github = { provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = ["repo:acme/shop:environment:dev"] }, statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "a_provider_that_is_not_githubs" {
  command = plan
  variables {
    roles = { a = { name = "runner", policy_name = "runner", description = "a role", github = { provider_arn = "arn:aws:iam::123456789012:oidc-provider/example.com", subjects = ["repo:acme/shop:environment:dev"] }, statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "every_branch_of_a_repository" {
  command = plan
  variables {
    roles = { a = { name = "runner", policy_name = "runner", description = "a role", github = { provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = ["repo:acme/shop:*"] }, statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "no_workflow_at_all" {
  command = plan
  variables {
    roles = { a = { name = "runner", policy_name = "runner", description = "a role", github = { provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = [] }, statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}

run "a_whole_account" {
  command = plan
  variables {
    roles = { a = { name = "clients", policy_name = "clients", description = "a role", principals = ["arn:aws:iam::123456789012:root"], statements = [{ sid = "Read", why = "code", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }] } }
  }
  expect_failures = [var.roles]
}
