locals {
  # schemas/environment.schema.json
  environment_document = merge({ for document in local.kafka_document : "kafka" => document }, {
    version              = 1
    environment          = var.environment
    region               = var.region
    bucket               = module.bucket.name
    instanceId           = module.hosts["failback"].instance_id
    operationsInstanceId = module.hosts["operations"].instance_id
    documentPrefix       = local.prefix
    documentdb = {
      secret                       = var.docdb_secret_name
      changeStreamRetentionSeconds = module.documentdb.change_stream_retention_seconds
      applicationUsers             = var.application_users
      replicationUser              = { name = var.dms_user_replication_username, secret = module.secrets.replication_secret_name }
      otherWriters                 = var.other_writers
      administrators               = var.administrators
    }
    mongodb              = { secret = var.mongodb_secret_name }
    createUserDbFunction = module.create_user_db.function_name
    replicationTasks     = [for id, arn in module.dms.task_arns : { id = id, arn = arn }]
    settings             = { for name, value in var.settings : name => value if value != null }
    backups              = local.backups_document
  })
}

# What runbooks and scripts need to know, so that nobody copies identifiers by hand. Names of secrets, never values.
resource "aws_ssm_parameter" "environment" {
  #checkov:skip=CKV2_AWS_34:names and ARNs; a SecureString would ask each reader for a key and keep nothing secret
  name        = local.environment_parameter
  description = "What Roundtrip knows of this environment (schemas/environment.schema.json)"
  type        = "String"
  tier        = "Intelligent-Tiering"
  value       = jsonencode(local.environment_document)
}

output "environment_parameter" {
  description = "Name of the SSM parameter with everything runbooks and scripts need."
  value       = aws_ssm_parameter.environment.name
}

output "documentdb_endpoint" {
  description = "Host of the DocumentDB cluster."
  value       = module.documentdb.endpoint
}

output "task_arns" {
  description = "ARNs of the replication tasks by id."
  value       = module.dms.task_arns
}

output "hosts" {
  description = "Id and address of each host by its role: failback, operations."
  value       = module.hosts
}
