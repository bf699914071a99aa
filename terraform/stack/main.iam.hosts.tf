locals {
  host_name       = coalesce(var.iam_role_ec2_name, "${local.prefix}-failback-host")
  operations_name = coalesce(var.iam_role_operations_name, "${local.prefix}-operations-host")

  # What services/main.ts calls on each host (tests/terraform/permissions.test.ts): a failback's services on the one, what is done
  # in normal times on the other. Neither can do the other's part.
  host_roles = {
    failback_host = {
      name                = local.host_name
      policy_name         = coalesce(var.iam_policy_ec2_name, local.host_name)
      description         = "The failback host"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["${local.arns}:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements = concat([
        {
          sid       = "Bucket"
          why       = "adapters/aws/object-store.ts: log, manifests, dumps, journals"
          actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject", "s3:PutObjectTagging"]
          resources = ["${local.bucket_arn}/*"]
        },
        {
          sid       = "Read"
          why       = "adapters/aws/object-store.ts: what is in the bucket; and terraform/modules/ec2/install/install.sh: the release"
          actions   = ["s3:GetObject"]
          resources = concat(["${local.bucket_arn}/*"], local.release_arns)
        },
        {
          sid       = "List"
          why       = "adapters/aws/object-store.ts: listing, and telling missing from denied"
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
        },
        {
          sid       = "ReadLogins"
          why       = "adapters/aws/secrets.ts: Roundtrip's own logins and those whose demotion is proved"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = local.host_secrets
        },
        {
          sid       = "SeeItself"
          why       = "adapters/aws/instances.ts: its state; EC2 has no narrower resource for this call"
          actions   = ["ec2:DescribeInstances"]
          resources = ["*"]
        },
        {
          sid       = "StopItself"
          why       = "services/monitor-clean: the host stops itself when all is done"
          actions   = ["ec2:ModifyInstanceAttribute", "ec2:StopInstances"]
          resources = ["${local.arns}:ec2:${local.in_account}:instance/*"]
          conditions = [{
            test     = "StringEquals"
            variable = "aws:ResourceTag/Name"
            values   = [local.hosts["failback"].name]
          }]
        },
        {
          sid       = "ReadEnvironment"
          why       = "terraform/modules/ec2/install/fetch-environment.sh: the environment's document"
          actions   = ["ssm:GetParameter"]
          resources = ["${local.arns}:ssm:${local.in_account}:parameter${local.environment_parameter}"]
        },
        {
          sid       = "KeepLogs"
          why       = "terraform/modules/ec2/install/amazon-cloudwatch-agent.json.tftpl: the log of the machine's set-up"
          actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          resources = ["${local.arns}:logs:${local.in_account}:log-group:/roundtrip/${var.environment}/hosts:*"]
        },
        {
          sid       = "Measure"
          why       = "services/publish-metrics: ages and lags; disk and memory by the CloudWatch agent; CloudWatch has no narrower resource"
          actions   = ["cloudwatch:PutMetricData"]
          resources = ["*"]
          conditions = [{
            test     = "StringEquals"
            variable = "cloudwatch:namespace"
            values   = [local.metrics_namespace]
          }]
        },
      ], local.use_key)
    }
    operations_host = {
      name                = local.operations_name
      policy_name         = coalesce(var.iam_policy_operations_name, local.operations_name)
      description         = "The operations host"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["${local.arns}:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements = concat([
        {
          sid       = "Read"
          why       = "adapters/aws/object-store.ts: phase, identity, what a failback left; and terraform/modules/ec2/install/install.sh: the release"
          actions   = ["s3:GetObject"]
          resources = concat(["${local.bucket_arn}/*"], local.release_arns)
        },
        {
          sid       = "Write"
          why       = "adapters/aws/object-store.ts: answers of inspections, MongoDB's identity, records of rotations, backups"
          actions   = ["s3:PutObject"]
          resources = [for prefix in ["backups", "credentials", "identity", "operations"] : "${local.bucket_arn}/${prefix}/*"]
        },
        {
          sid       = "UploadBackups"
          why       = "services/mongodb-backup/run.ts: archives in parts, with the tag by which they expire"
          actions   = ["s3:AbortMultipartUpload", "s3:PutObjectTagging"]
          resources = ["${local.bucket_arn}/backups/*"]
        },
        {
          sid       = "TakeRequests"
          why       = "services/verify-backup/run.ts: what a person asked for, once it is done, and what services/dr-test wrote; backups themselves it can't delete"
          actions   = ["s3:DeleteObject"]
          resources = [for prefix in ["dr-tests", "requests"] : "${local.bucket_arn}/backups/${prefix}/*"]
        },
        {
          sid       = "List"
          why       = "adapters/aws/object-store.ts: telling missing from denied"
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
        },
        {
          sid       = "ReadLogins"
          why       = "adapters/aws/secrets.ts: Roundtrip's own logins and those that are renewed"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = concat(local.host_secrets, [for key in concat(["mongodb_dms"], [for name in var.backup_scratch_secret_name[*] : "scratch"]) : data.aws_secretsmanager_secret.this[key].arn])
        },
        {
          sid       = "Rotate"
          why       = "adapters/aws/secret-versions.ts: rotate-credentials of DMS's and the applications' users"
          actions   = ["secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
          resources = concat([module.secrets.replication_secret_arn], local.user_secrets)
        },
        {
          sid       = "SeeFailbackHost"
          why       = "adapters/aws/instances.ts: whether the failback host could start; EC2 has no narrower resource"
          actions   = ["ec2:DescribeInstances"]
          resources = ["*"]
        },
        {
          sid       = "ReadEnvironment"
          why       = "terraform/modules/ec2/install/fetch-environment.sh: the environment's document"
          actions   = ["ssm:GetParameter"]
          resources = ["${local.arns}:ssm:${local.in_account}:parameter${local.environment_parameter}"]
        },
        {
          sid       = "KeepLogs"
          why       = "terraform/modules/ec2/install/amazon-cloudwatch-agent.json.tftpl: the log of the machine's set-up"
          actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          resources = ["${local.arns}:logs:${local.in_account}:log-group:/roundtrip/${var.environment}/hosts:*"]
        },
        {
          sid       = "Measure"
          why       = "services/publish-metrics: ages and lags; disk and memory by the CloudWatch agent; CloudWatch has no narrower resource"
          actions   = ["cloudwatch:PutMetricData"]
          resources = ["*"]
          conditions = [{
            test     = "StringEquals"
            variable = "cloudwatch:namespace"
            values   = [local.metrics_namespace]
          }]
        },
      ], local.use_key)
    }
  }

  host_secrets = concat(
    [for key in ["documentdb", "mongodb"] : data.aws_secretsmanager_secret.this[key].arn],
    [module.secrets.replication_secret_arn],
    local.user_secrets,
  )
}
