# Slack told of the phases of an environment, with the role the function runs as, beside a topic of alarms that is there.
provider "aws" {
  region = "us-east-1"
}

locals {
  function_name = "orders-dev-notify"
  topic_arn     = "arn:aws:sns:us-east-1:123456789012:orders-dev-alarms"
}

data "aws_secretsmanager_secret" "slack" {
  name = "orders/dev/slack"
}

module "bucket" {
  source = "../../modules/s3"

  name        = "orders-dev-failback-example"
  environment = "dev"
}

module "role" {
  source = "../../modules/iam"

  roles = {
    function = {
      name        = local.function_name
      policy_name = local.function_name
      description = "The notify function"
      service     = "lambda.amazonaws.com"
      statements = [
        {
          sid       = "ReadWebhook"
          why       = "services/notify: the webhook's address"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [data.aws_secretsmanager_secret.slack.arn]
        },
        {
          sid       = "Read"
          why       = "services/notify: the phase, and what was told"
          actions   = ["s3:GetObject"]
          resources = ["${module.bucket.arn}/failback/current.json", "${module.bucket.arn}/notices/*"]
        },
        {
          sid       = "Record"
          why       = "services/notify: what was told"
          actions   = ["s3:PutObject"]
          resources = ["${module.bucket.arn}/notices/*"]
        },
        {
          sid       = "TellMissingFromDenied"
          why       = "services/notify: without it S3 answers denied for an object that isn't there"
          actions   = ["s3:ListBucket"]
          resources = [module.bucket.arn]
        },
        {
          sid       = "TellFailures"
          why       = "terraform/modules/notify: Lambda sends the record of a failure in the function's name"
          actions   = ["sns:Publish"]
          resources = [local.topic_arn]
        },
        {
          sid       = "KeepLog"
          why       = "terraform/modules/notify: Lambda writes the log in the function's name"
          actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/${local.function_name}:*"]
        },
      ]
    }
  }
}

module "notify" {
  source = "../../modules/notify"

  function_name  = local.function_name
  environment    = "dev"
  package_file   = "${path.module}/../../../dist/notify.zip"
  role_arn       = module.role.role_arns["function"]
  bucket         = { name = module.bucket.name, arn = module.bucket.arn }
  objects        = { phase = "failback/current.json" }
  topic_arn      = local.topic_arn
  webhook_secret = "orders/dev/slack"
  repository_url = "https://github.com/acme/data"
}

output "function_name" {
  description = "Whose log says what was told."
  value       = module.notify.function_name
}
