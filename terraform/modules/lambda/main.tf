resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:the log holds names and counts; a key of one's own would need a policy for CloudWatch, which its owner writes
  name              = "/aws/lambda/${var.function_name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:one function that calls one database; its log has each step with its time
  #checkov:skip=CKV_AWS_115:a new account has ten executions in all and lets none be reserved
  #checkov:skip=CKV_AWS_116:its callers wait for the answer; nothing calls it asynchronously, so nothing would reach a queue
  #checkov:skip=CKV_AWS_173:its environment names secrets and holds none
  #checkov:skip=CKV_AWS_272:the hash of the archive, which the build makes the same from the same sources, is what is reviewed
  function_name = var.function_name
  description   = "Users, databases and collections of tasks.yaml on DocumentDB"
  role          = var.role_arn
  runtime       = var.runtime
  handler       = "index.handler"
  memory_size   = 256
  timeout       = var.timeout_seconds
  filename      = var.package_file
  # Of the archive's bytes, which the build makes the same from the same sources: no second apply after a change of code.
  source_code_hash = filebase64sha256(var.package_file)
  tags             = var.tags

  environment {
    variables = {
      ROUNDTRIP_ENVIRONMENT        = var.environment
      ROUNDTRIP_BUCKET             = var.bucket
      ROUNDTRIP_MASTER_SECRET      = var.master_secret
      ROUNDTRIP_REPLICATION_SECRET = var.replication_secret
      ROUNDTRIP_DOCUMENTDB_HOST    = var.documentdb.host
      ROUNDTRIP_DOCUMENTDB_PORT    = tostring(var.documentdb.port)
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.subnet_ids) > 0 ? [true] : []
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

# The input holds names, never a secret's value: Terraform keeps it in its state. A call that fails on a change is not
# repeated by the next apply (the provider saves the new input all the same): `roundtrip apply` calls the function itself.
resource "aws_lambda_invocation" "provision" {
  count = var.provision == null ? 0 : 1

  function_name   = aws_lambda_function.this.function_name
  lifecycle_scope = "CRUD"
  input = jsonencode(merge(
    {
      version     = 1
      environment = var.environment
      databases = [
        for database in var.provision.databases : {
          name        = database.name
          collections = [for each in database.collections : { for key, value in each : key => value if value != null }]
        }
      ]
    },
    var.provision.trigger == null ? {} : { trigger = var.provision.trigger },
  ))
}
