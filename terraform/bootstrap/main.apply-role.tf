data "aws_caller_identity" "this" {}

locals {
  arns    = "arn:${data.aws_partition.this.partition}"
  account = "${var.region}:${data.aws_caller_identity.this.account_id}"
  prefix  = var.name_prefix

  tagging = ["AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource"]

  # What the AWS provider calls to make, read, change and remove each type of the stack (tests/terraform/apply-role.test.ts).
  apply_actions = {
    aws_cloudwatch_dashboard         = formatlist("cloudwatch:%s", ["DeleteDashboards", "GetDashboard", "PutDashboard"])
    aws_cloudwatch_log_group         = formatlist("logs:%s", ["CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "ListTagsForResource", "PutRetentionPolicy", "TagResource", "UntagResource"])
    aws_cloudwatch_metric_alarm      = formatlist("cloudwatch:%s", ["DeleteAlarms", "ListTagsForResource", "PutMetricAlarm", "TagResource", "UntagResource"])
    aws_dms_certificate              = formatlist("dms:%s", concat(local.tagging, ["DeleteCertificate", "ImportCertificate"]))
    aws_dms_endpoint                 = formatlist("dms:%s", concat(local.tagging, ["CreateEndpoint", "DeleteEndpoint", "ModifyEndpoint"]))
    aws_dms_replication_instance     = formatlist("dms:%s", concat(local.tagging, ["CreateReplicationInstance", "DeleteReplicationInstance", "ModifyReplicationInstance"]))
    aws_dms_replication_subnet_group = formatlist("dms:%s", concat(local.tagging, ["CreateReplicationSubnetGroup", "DeleteReplicationSubnetGroup", "ModifyReplicationSubnetGroup"]))
    aws_dms_replication_task         = formatlist("dms:%s", concat(local.tagging, ["CreateReplicationTask", "DeleteReplicationTask", "ModifyReplicationTask", "StartReplicationTask", "StopReplicationTask"]))
    aws_docdb_cluster                = formatlist("rds:%s", concat(local.tagging, ["CreateDBCluster", "CreateDBClusterSnapshot", "DeleteDBCluster", "DescribeDBClusters", "DescribeGlobalClusters", "ModifyDBCluster"]))
    aws_docdb_cluster_instance       = formatlist("rds:%s", concat(local.tagging, ["CreateDBInstance", "DeleteDBInstance", "DescribeDBInstances", "ModifyDBInstance"]))
    aws_docdb_cluster_parameter_group = formatlist("rds:%s", concat(local.tagging, [
      "CreateDBClusterParameterGroup", "DeleteDBClusterParameterGroup", "DescribeDBClusterParameterGroups", "DescribeDBClusterParameters", "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup",
    ]))
    aws_docdb_subnet_group         = formatlist("rds:%s", concat(local.tagging, ["CreateDBSubnetGroup", "DeleteDBSubnetGroup", "DescribeDBSubnetGroups", "ModifyDBSubnetGroup"]))
    aws_ebs_volume                 = formatlist("ec2:%s", ["CreateTags", "CreateVolume", "DeleteTags", "DeleteVolume", "ModifyVolume"])
    aws_iam_instance_profile       = formatlist("iam:%s", ["AddRoleToInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile", "RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile"])
    aws_iam_role                   = formatlist("iam:%s", ["CreateRole", "DeleteRole", "GetRole", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"])
    aws_iam_role_policy            = formatlist("iam:%s", ["DeleteRolePolicy", "GetRolePolicy", "PutRolePolicy"])
    aws_iam_role_policy_attachment = formatlist("iam:%s", ["AttachRolePolicy", "DetachRolePolicy"])
    aws_instance                   = formatlist("ec2:%s", ["CreateTags", "DeleteTags", "ModifyInstanceAttribute", "ModifyInstanceMetadataOptions", "ModifyVolume", "RunInstances", "StartInstances", "StopInstances", "TerminateInstances"])
    aws_lambda_function = formatlist("lambda:%s", [
      "CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionCodeSigningConfig", "ListTags", "ListVersionsByFunction", "TagResource", "UntagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration",
    ])
    aws_lambda_function_event_invoke_config = formatlist("lambda:%s", ["DeleteFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig"])
    aws_lambda_invocation                   = ["lambda:InvokeFunction"]
    aws_lambda_permission                   = formatlist("lambda:%s", ["AddPermission", "GetPolicy", "RemovePermission"])
    # What the provider reads of every bucket, whatever of it is configured.
    aws_s3_bucket = formatlist("s3:%s", [
      "CreateBucket", "DeleteBucket", "DeleteObject", "DeleteObjectVersion", "GetAccelerateConfiguration", "GetBucketAcl", "GetBucketCORS", "GetBucketLogging", "GetBucketObjectLockConfiguration",
      "GetBucketRequestPayment", "GetBucketTagging", "GetBucketWebsite", "GetReplicationConfiguration", "ListBucket", "ListBucketVersions", "PutBucketTagging",
    ])
    aws_s3_bucket_lifecycle_configuration              = ["s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"]
    aws_s3_bucket_notification                         = ["s3:GetBucketNotification", "s3:PutBucketNotification"]
    aws_s3_bucket_ownership_controls                   = ["s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls"]
    aws_s3_bucket_policy                               = ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"]
    aws_s3_bucket_public_access_block                  = ["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"]
    aws_s3_bucket_server_side_encryption_configuration = ["s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"]
    aws_s3_bucket_versioning                           = ["s3:GetBucketVersioning", "s3:PutBucketVersioning"]
    aws_secretsmanager_secret                          = formatlist("secretsmanager:%s", ["CreateSecret", "DeleteSecret", "DescribeSecret", "GetResourcePolicy", "TagResource", "UntagResource", "UpdateSecret"])
    aws_secretsmanager_secret_version                  = formatlist("secretsmanager:%s", ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"])
    aws_security_group                                 = formatlist("ec2:%s", ["CreateSecurityGroup", "CreateTags", "DeleteSecurityGroup", "DeleteTags", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"])
    aws_sns_topic                                      = formatlist("sns:%s", ["CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListTagsForResource", "SetTopicAttributes", "TagResource", "UntagResource"])
    aws_sns_topic_policy                               = ["sns:GetTopicAttributes", "sns:SetTopicAttributes"]
    aws_sns_topic_subscription                         = formatlist("sns:%s", ["GetSubscriptionAttributes", "SetSubscriptionAttributes", "Subscribe", "Unsubscribe"])
    aws_ssm_document                                   = formatlist("ssm:%s", concat(local.tagging, ["CreateDocument", "DeleteDocument", "DescribeDocument", "DescribeDocumentPermission", "GetDocument", "UpdateDocument", "UpdateDocumentDefaultVersion"]))
    aws_ssm_parameter                                  = formatlist("ssm:%s", concat(local.tagging, ["DeleteParameter", "GetParameter", "PutParameter"]))
    aws_volume_attachment                              = formatlist("ec2:%s", ["AttachVolume", "DetachVolume", "StopInstances"])
    aws_vpc_endpoint                                   = formatlist("ec2:%s", ["CreateTags", "CreateVpcEndpoint", "DeleteTags", "DeleteVpcEndpoints", "ModifyVpcEndpoint"])
    aws_vpc_security_group_egress_rule                 = formatlist("ec2:%s", ["AuthorizeSecurityGroupEgress", "CreateTags", "DeleteTags", "ModifySecurityGroupRules", "RevokeSecurityGroupEgress"])
    aws_vpc_security_group_ingress_rule                = formatlist("ec2:%s", ["AuthorizeSecurityGroupIngress", "CreateTags", "DeleteTags", "ModifySecurityGroupRules", "RevokeSecurityGroupIngress"])
  }

  # AWS has no narrower resource for these.
  reading = concat(
    formatlist("dms:Describe%s", ["Certificates", "Endpoints", "ReplicationInstances", "ReplicationSubnetGroups", "ReplicationTasks"]),
    formatlist("ec2:Describe%s", [
      "Images", "InstanceAttribute", "InstanceCreditSpecifications", "InstanceTypes", "Instances", "ManagedPrefixLists", "NetworkInterfaces",
      "PrefixLists", "SecurityGroupRules", "SecurityGroups", "Subnets", "Tags", "Volumes", "VpcEndpoints", "Vpcs",
    ]),
    ["cloudwatch:DescribeAlarms", "ec2:GetManagedPrefixListEntries", "logs:DescribeLogGroups", "ssm:DescribeParameters"],
  )

  # Where the names of what is made begin with the prefix, nothing else can be touched.
  apply_resources = {
    cloudwatch = ["${local.arns}:cloudwatch:${local.account}:alarm:${local.prefix}-*", "${local.arns}:cloudwatch::${data.aws_caller_identity.this.account_id}:dashboard/${local.prefix}-*"]
    dms        = ["${local.arns}:dms:${local.account}:*"]
    ec2        = ["${local.arns}:ec2:${local.account}:*", "${local.arns}:ec2:${var.region}::image/*"]
    iam        = [for kind in ["instance-profile", "role"] : "${local.arns}:iam::${data.aws_caller_identity.this.account_id}:${kind}/${local.prefix}-*"]
    lambda     = ["${local.arns}:lambda:${local.account}:function:${local.prefix}-*"]
    logs       = [for name in ["/aws/lambda/${local.prefix}-*", "/${local.prefix}/*"] : "${local.arns}:logs:${local.account}:log-group:${name}"]
    rds        = [for kind in ["cluster", "cluster-pg", "cluster-snapshot", "db", "global-cluster", "subgrp"] : "${local.arns}:rds:${kind == "global-cluster" ? ":${data.aws_caller_identity.this.account_id}" : local.account}:${kind}:${kind == "global-cluster" ? "*" : "${local.prefix}-*"}"]
    s3         = ["${local.arns}:s3:::${local.prefix}-*"]
    secretsmanager = [
      "${local.arns}:secretsmanager:${local.account}:secret:${local.prefix}/*",
    ]
    sns = ["${local.arns}:sns:${local.account}:${local.prefix}-*"]
    ssm = ["${local.arns}:ssm:${local.account}:document/${local.prefix}-*", "${local.arns}:ssm:${local.account}:parameter/${local.prefix}/*"]
  }
}

# What `roundtrip apply` runs with, Terraform in it. It can make roles: guard it as an administrator's, behind a reviewed environment.
module "apply_role" {
  source = "../modules/iam"

  roles = var.github == null ? {} : {
    apply = {
      name        = "${local.prefix}-apply"
      policy_name = "${local.prefix}-apply"
      description = "Terraform of Roundtrip, in a reviewed workflow"
      github = {
        provider_arn = local.github_provider_arn
        subjects     = [for name in var.github.environments : "${var.github.repository}:environment:${name}"]
      }
      statements = concat(
        local.applying,
        [for service, resources in local.apply_resources : {
          sid       = title(service)
          why       = "terraform/stack: what it makes of ${service}"
          actions   = sort(distinct([for action in flatten(values(local.apply_actions)) : action if startswith(action, "${service}:")]))
          resources = resources
        }],
        [
          {
            sid       = "Read"
            why       = "terraform/stack: data sources, and what the provider reads back"
            actions   = local.reading
            resources = ["*"]
          },
          {
            sid       = "PassRoles"
            why       = "terraform/stack: the function, the host and DMS take their roles"
            actions   = ["iam:PassRole"]
            resources = ["${local.arns}:iam::${data.aws_caller_identity.this.account_id}:role/${local.prefix}-*"]
            conditions = [{
              test     = "StringEquals"
              variable = "iam:PassedToService"
              values   = ["dms.${var.region}.amazonaws.com", "dms.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"]
            }]
          },
          {
            sid       = "State"
            why       = "terraform/stack: its state and the lock beside it"
            actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
            resources = ["${module.state.arn}/*"]
          },
          {
            sid       = "ListStates"
            why       = "terraform/stack: its state's workspace"
            actions   = ["s3:ListBucket"]
            resources = [module.state.arn]
          },
        ],
        var.kms_key_arn == null ? [] : [{
          sid       = "UseKey"
          why       = "terraform/stack: state, cluster, disks and secrets encrypted with the account's own key"
          actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
          resources = [var.kms_key_arn]
        }],
      )
    }
  }
}

output "apply_role_arn" {
  description = "ARN of the role `roundtrip apply` runs Terraform with in a workflow; null without `github`."
  value       = one(values(module.apply_role.role_arns))
}
