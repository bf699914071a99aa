# What `roundtrip` itself calls in the jobs that take these roles, beside Terraform. By names and tags: an environment's own bucket,
# documents and hosts don't exist yet when the roles are made.
locals {
  github_provider_arn = var.make_github_provider ? aws_iam_openid_connect_provider.github[0].arn : "${local.arns}:iam::${data.aws_caller_identity.this.account_id}:oidc-provider/token.actions.githubusercontent.com"

  of_roundtrip = [{ test = "StringEquals", variable = "aws:ResourceTag/product", values = ["roundtrip"] }]

  to_hosts = {
    sid        = "SendToHosts"
    why        = "adapters/aws/commands.ts: to the product's own hosts"
    actions    = ["ssm:SendCommand"]
    resources  = ["${local.arns}:ec2:${local.account}:instance/*"]
    conditions = local.of_roundtrip
  }

  applying = [
    {
      sid        = "Objects"
      why        = "adapters/aws/object-store.ts: lease, journals, what was applied"
      actions    = ["s3:GetObject", "s3:PutObject"]
      resources  = ["${local.arns}:s3:::${local.prefix}-*/*"]
      conditions = []
    },
    {
      sid        = "RunTasks"
      why        = "adapters/aws/replication-tasks.ts: load a collection, read its numbers, prove an endpoint"
      actions    = ["dms:DescribeTableStatistics", "dms:ReloadTables", "dms:TestConnection"]
      resources  = ["${local.arns}:dms:${local.account}:*"]
      conditions = local.of_roundtrip
    },
    {
      sid        = "SendDocuments"
      why        = "adapters/aws/commands.ts: the product's own documents"
      actions    = ["ssm:SendCommand"]
      resources  = ["${local.arns}:ssm:${local.account}:document/${local.prefix}-*"]
      conditions = []
    },
    local.to_hosts,
    {
      sid        = "Follow"
      why        = "adapters/aws/commands.ts: SSM and DMS have no narrower resource for these calls"
      actions    = ["dms:DescribeConnections", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands"]
      resources  = ["*"]
      conditions = []
    },
  ]
}
