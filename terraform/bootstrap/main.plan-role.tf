locals {
  # What of the apply role's actions only looks. A secret's value is none of it: see ReadLogins.
  looking = [
    for action in distinct(flatten(values(local.apply_actions))) : action
    if can(regex("^[a-z]+:(Describe|Get|List)", action)) && action != "secretsmanager:GetSecretValue"
  ]
}

# What `plan`, `drift`, `readiness` and `status` look with, Terraform's plan among them. It changes nothing. Its jobs run for pull
# requests of whoever may push a branch: it reads the state, and so the password DMS writes with.
module "plan_role" {
  source = "../modules/iam"

  roles = var.github == null ? {} : {
    plan = {
      name        = "${local.prefix}-plan"
      policy_name = "${local.prefix}-plan"
      description = "Roundtrip looks: plan, drift, readiness, status"
      github = {
        provider_arn = local.github_provider_arn
        subjects     = [for name in var.github.environments : "${var.github.repository}:environment:plan-${name}"]
      }
      statements = concat(
        [for service, resources in local.apply_resources : {
          sid       = title(service)
          why       = "terraform/stack: what the provider reads of ${service}"
          actions   = sort([for action in local.looking : action if startswith(action, "${service}:")])
          resources = resources
        } if length([for action in local.looking : action if startswith(action, "${service}:")]) > 0],
        [
          {
            sid        = "Read"
            why        = "terraform/stack: data sources, and what the provider reads back"
            actions    = local.reading
            resources  = ["*"]
            conditions = []
          },
          {
            sid        = "ReadLogins"
            why        = "terraform/modules/documentdb: the master's login, and the one DMS writes with; a plan reads both"
            actions    = ["secretsmanager:GetSecretValue"]
            resources  = [for name in ["master", "replication"] : "${local.arns}:secretsmanager:${local.account}:secret:${local.prefix}/*/${name}-*"]
            conditions = []
          },
          {
            sid        = "State"
            why        = "terraform/stack: its state, read without a lock"
            actions    = ["s3:GetObject", "s3:ListBucket"]
            resources  = [module.state.arn, "${module.state.arn}/*"]
            conditions = []
          },
          {
            sid        = "Objects"
            why        = "adapters/aws/object-store.ts: phase, status, what was applied"
            actions    = ["s3:GetObject"]
            resources  = ["${local.arns}:s3:::${local.prefix}-*/*"]
            conditions = []
          },
          {
            sid        = "Tables"
            why        = "adapters/aws/replication-tasks.ts: rows a task has loaded"
            actions    = ["dms:DescribeTableStatistics"]
            resources  = ["${local.arns}:dms:${local.account}:task:*"]
            conditions = local.of_roundtrip
          },
          {
            sid        = "SendDocuments"
            why        = "runbooks/steps/inspection.ts: the two documents that look at databases"
            actions    = ["ssm:SendCommand"]
            resources  = [for name in ["inspect", "readiness"] : "${local.arns}:ssm:${local.account}:document/${local.prefix}-*-${name}"]
            conditions = []
          },
          local.to_hosts,
          {
            sid        = "Follow"
            why        = "adapters/aws/commands.ts: SSM has no narrower resource for these calls"
            actions    = ["ssm:GetCommandInvocation", "ssm:ListCommands"]
            resources  = ["*"]
            conditions = []
          },
        ],
        var.kms_key_arn == null ? [] : [{
          sid       = "UseKey"
          why       = "terraform/stack: state and secrets encrypted with the account's own key"
          actions   = ["kms:Decrypt"]
          resources = [var.kms_key_arn]
        }],
      )
    }
  }
}

output "plan_role_arn" {
  description = "ARN of the role that plan, drift, readiness and status look with in a workflow; null without `github`."
  value       = one(values(module.plan_role.role_arns))
}
