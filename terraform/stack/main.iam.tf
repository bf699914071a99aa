# Secrets that exist before the first apply, by what they are for.
data "aws_secretsmanager_secret" "this" {
  for_each = merge(
    {
      master      = var.docdb_master_user_secret_name
      documentdb  = var.docdb_secret_name
      mongodb     = var.mongodb_secret_name
      mongodb_dms = var.mongodb_dms_secret_name
    },
    { for name in var.backup_scratch_secret_name[*] : "scratch" => name },
    { for user in concat(var.application_users, var.other_writers) : "user ${user.name}" => user.secret },
  )

  name = each.value
}

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}

locals {
  lambda_role  = coalesce(var.iam_role_lambda_access_docdb_name, "${local.prefix}-create-user-db")
  user_secrets = [for key, secret in data.aws_secretsmanager_secret.this : secret.arn if startswith(key, "user ")]
  bucket_arn   = module.bucket.arn
  arns         = "arn:${data.aws_partition.this.partition}"

  # Where the environment has a key of its own, whoever reads or writes what it encrypts must use it.
  use_key = var.kms_key_arn == null ? [] : [{
    sid       = "UseKey"
    why       = "adapters/aws/object-store.ts: objects and secrets encrypted with the environment's own key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }]
  use_key_of_secret = var.kms_key_arn == null ? [] : [{
    sid       = "UseKey"
    why       = "terraform/modules/dms: the source endpoint's secret, where it is encrypted with the environment's own key"
    actions   = ["kms:Decrypt", "kms:DescribeKey"]
    resources = [var.kms_key_arn]
  }]
}

module "iam" {
  source = "../modules/iam"

  roles = merge({
    create_user_db = {
      name                = local.lambda_role
      policy_name         = coalesce(var.iam_policy_lambda_access_docdb_name, local.lambda_role)
      description         = "The create-user-db function"
      service             = "lambda.amazonaws.com"
      managed_policy_arns = ["${local.arns}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"]
      statements = concat([
        {
          sid       = "ReadLogins"
          why       = "services/create-user-db: the master's login and the one DMS writes with"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [data.aws_secretsmanager_secret.this["master"].arn, module.secrets.replication_secret_arn]
        },
        {
          sid       = "ReadPhase"
          why       = "services/create-user-db: whether a failback is open"
          actions   = ["s3:GetObject"]
          resources = ["${local.bucket_arn}/failback/current.json"]
        },
        {
          sid       = "TellMissingFromDenied"
          why       = "services/create-user-db: without it S3 answers denied for an object that isn't there"
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
        },
      ], local.use_key)
    }
    dms_secrets = {
      name        = "${local.prefix}-dms-secrets"
      policy_name = "${local.prefix}-dms-secrets"
      description = "DMS reads MongoDB's login"
      service     = "dms.${var.region}.amazonaws.com"
      statements = concat([{
        sid       = "ReadSource"
        why       = "terraform/modules/dms: secrets_manager_arn of the source endpoint"
        actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        resources = [data.aws_secretsmanager_secret.this["mongodb_dms"].arn]
      }], local.use_key_of_secret)
    }
    }, local.host_roles, {
    for key, role in local.kafka_roles : key => role if key == "kafka_clients" ? local.kafka_clients : local.has_kafka
    }, {
    for key, role in local.notify_roles : key => role if local.has_slack
  })
}
