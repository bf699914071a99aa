locals {
  runner_name   = coalesce(var.runner_role_name, "${local.prefix}-runner")
  in_account    = "${var.region}:${data.aws_caller_identity.this.account_id}"
  instance_arns = { for role, host in module.hosts : role => "${local.arns}:ec2:${local.in_account}:instance/${host.instance_id}" }

  # Tasks by their tags, not one by one: another task in tasks.yaml changes no policy, and two hundred would not fit into one.
  of_this_environment = [for name, value in { product = "roundtrip", environment = var.environment } : {
    test     = "StringEquals"
    variable = "aws:ResourceTag/${name}"
    values   = [value]
  }]
}

# What runbooks need in a workflow. Who plans and applies takes the bootstrap's roles, which are there before this stack. A module
# call of its own: it names the hosts, which need a role first.
module "runner_role" {
  source = "../modules/iam"

  roles = var.github == null ? {} : {
    runner = {
      name        = local.runner_name
      policy_name = local.runner_name
      description = "roundtrip runs runbooks"
      github = {
        provider_arn = var.github.provider_arn
        subjects     = [for purpose in ["operations", "failback"] : "${var.github.repository}:environment:${purpose}-${var.environment}"]
      }
      statements = concat([
        {
          sid       = "ReadBucket"
          why       = "adapters/aws/object-store.ts: phase, journals, status, verdict, what was applied"
          actions   = ["s3:GetObject"]
          resources = ["${local.bucket_arn}/*"]
        },
        {
          sid       = "WriteJournals"
          why       = "runbooks/engine/operation.ts: lease, phase, journals, what was applied; and what a person asks of backups"
          actions   = ["s3:PutObject"]
          resources = [for prefix in ["applied", "backups/requests", "failback", "operations"] : "${local.bucket_arn}/${prefix}/*"]
        },
        {
          sid       = "List"
          why       = "adapters/aws/object-store.ts: listing, and telling missing from denied"
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
        },
        {
          sid       = "ReadEnvironment"
          why       = "scripts/roundtrip/environment.ts: the environment's document"
          actions   = ["ssm:GetParameter"]
          resources = [aws_ssm_parameter.environment.arn]
        },
        {
          sid       = "SendDocuments"
          why       = "adapters/aws/commands.ts: the product's own documents, to its own hosts and Kafka's nodes"
          actions   = ["ssm:SendCommand"]
          resources = concat(values(module.ssm_documents.arns), values(local.instance_arns), flatten(module.kafka[*].instance_arns))
        },
        {
          sid       = "FollowCommands"
          why       = "adapters/aws/commands.ts: SSM has no narrower resource for these calls"
          actions   = ["ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands"]
          resources = ["*"]
        },
        {
          sid       = "SeeHosts"
          why       = "adapters/aws/instances.ts: EC2 has no narrower resource for this call"
          actions   = ["ec2:DescribeInstances"]
          resources = ["*"]
        },
        {
          sid       = "RunFailbackHost"
          why       = "adapters/aws/instances.ts: kept from being stopped in an outage, off afterwards"
          actions   = ["ec2:DescribeInstanceAttribute", "ec2:ModifyInstanceAttribute", "ec2:StopInstances"]
          resources = [local.instance_arns["failback"]]
        },
        {
          sid       = "StartHosts"
          why       = "runbooks/steps/operations-host.ts: the failback host for an outage, the operations host where somebody stopped it"
          actions   = ["ec2:StartInstances"]
          resources = values(local.instance_arns)
        },
        {
          sid       = "SeeReplication"
          why       = "adapters/aws/replication-tasks.ts: DMS has no narrower resource for its lists"
          actions   = ["dms:DescribeConnections", "dms:DescribeEndpoints", "dms:DescribeReplicationTasks"]
          resources = ["*"]
        },
        {
          sid        = "RunTasks"
          why        = "adapters/aws/replication-tasks.ts: start, stop, read the numbers of a collection"
          actions    = ["dms:DescribeTableStatistics", "dms:StartReplicationTask", "dms:StopReplicationTask"]
          resources  = ["${local.arns}:dms:${local.in_account}:task:*"]
          conditions = local.of_this_environment
        },
        {
          sid        = "TestEndpoints"
          why        = "adapters/aws/replication-endpoints.ts: a rotation proves the new login"
          actions    = ["dms:TestConnection"]
          resources  = ["${local.arns}:dms:${local.in_account}:endpoint:*", "${local.arns}:dms:${local.in_account}:rep:*"]
          conditions = local.of_this_environment
        },
      ], local.use_key)
    }
  }
}

output "runner_role_arn" {
  description = "ARN of the role that workflows with runbooks take; null without `github`."
  value       = one(values(module.runner_role.role_arns))
}
