# What `logs` and `preflight` need in a workflow: they change nothing.
module "look_role" {
  source = "../modules/iam"

  roles = var.github == null ? {} : {
    look = {
      name        = "${local.prefix}-look"
      policy_name = "${local.prefix}-look"
      description = "roundtrip looks: logs, preflight"
      github      = { provider_arn = var.github.provider_arn, subjects = ["${var.github.repository}:environment:look-${var.environment}"] }
      statements = concat([
        {
          sid       = "ReadBucket"
          why       = "adapters/aws/object-store.ts: what the host answered, whether a failback is open"
          actions   = ["s3:GetObject"]
          resources = ["${local.bucket_arn}/*"]
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
          why       = "scripts/roundtrip/preflight-facts.ts: the two documents that look, to the product's own hosts"
          actions   = ["ssm:SendCommand"]
          resources = concat([for action in ["preflight", "service-logs"] : module.ssm_documents.arns[action]], values(local.instance_arns))
        },
        {
          sid       = "FollowCommands"
          why       = "adapters/aws/commands.ts: SSM has no narrower resource for these calls"
          actions   = ["ssm:GetCommandInvocation", "ssm:ListCommands"]
          resources = ["*"]
        },
        {
          sid       = "SeeHosts"
          why       = "adapters/aws/instances.ts: EC2 has no narrower resource for this call"
          actions   = ["ec2:DescribeInstances"]
          resources = ["*"]
        },
        {
          sid       = "SeeReplication"
          why       = "adapters/aws/replication-survey.ts: DMS has no narrower resource for its lists"
          actions   = ["dms:DescribeAccountAttributes", "dms:DescribeEndpoints", "dms:DescribeReplicationInstances", "dms:DescribeReplicationTasks"]
          resources = ["*"]
        },
        {
          sid       = "CallFunction"
          why       = "adapters/aws/functions.ts: preflight asks the function whether it reaches DocumentDB"
          actions   = ["lambda:InvokeFunction"]
          resources = [module.create_user_db.function_arn]
        },
      ], local.use_key)
    }
  }
}

output "look_role_arn" {
  description = "ARN of the role that logs and preflight take in a workflow; null without `github`."
  value       = one(values(module.look_role.role_arns))
}
