locals {
  has_slack   = var.slack != null
  notify_name = "${local.prefix}-notify"

  # As GitHub's tokens name it, repo:acme@1/shop@2, without the numbers.
  github_url     = var.github == null ? null : "https://github.com/${replace(trimprefix(var.github.repository, "repo:"), "/@\\d+/", "")}"
  repository_url = try(coalesce(var.slack.repository_url, local.github_url), null)

  # The objects whose changes are told; services/notify/notices.ts has the words.
  told_objects = { phase = "failback/current.json", verification = "backups/verification.json" }

  notify_roles = {
    notify = {
      name        = local.notify_name
      policy_name = local.notify_name
      description = "The notify function"
      service     = "lambda.amazonaws.com"
      statements = concat([
        {
          sid       = "ReadWebhook"
          why       = "services/notify: the address of Slack's webhook"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = data.aws_secretsmanager_secret.slack[*].arn
        },
        {
          sid       = "Read"
          why       = "services/notify: what is told of, and what was told"
          actions   = ["s3:GetObject"]
          resources = [for key in concat(values(local.told_objects), ["notices/*"]) : "${local.bucket_arn}/${key}"]
        },
        {
          sid       = "Record"
          why       = "services/notify: what was told"
          actions   = ["s3:PutObject"]
          resources = ["${local.bucket_arn}/notices/*"]
        },
        {
          sid       = "List"
          why       = "adapters/aws/object-store.ts: telling missing from denied"
          actions   = ["s3:ListBucket"]
          resources = [local.bucket_arn]
        },
        {
          sid       = "TellFailures"
          why       = "terraform/modules/notify: Lambda sends the record of a failure in the function's name"
          actions   = ["sns:Publish"]
          resources = [module.monitoring.topic_arn]
        },
        {
          sid       = "KeepLog"
          why       = "terraform/modules/notify: Lambda writes the log in the function's name"
          actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          resources = ["${local.arns}:logs:${local.in_account}:log-group:/aws/lambda/${local.notify_name}:*"]
        },
      ], local.use_key, local.use_topic_key)
    }
  }

  use_topic_key = var.alarms.kms_key_arn == null ? [] : [{
    sid       = "UseTopicKey"
    why       = "terraform/modules/notify: the topic is encrypted with a key of its own"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.alarms.kms_key_arn]
  }]
}

# Made by whoever made the webhook in Slack (docs/slack.md).
data "aws_secretsmanager_secret" "slack" {
  count = local.has_slack ? 1 : 0

  name = var.slack.webhook_secret_name
}

module "notify" {
  source = "../modules/notify"
  count  = local.has_slack ? 1 : 0

  function_name  = local.notify_name
  environment    = var.environment
  package_file   = var.lambda_notify_package
  role_arn       = module.iam.role_arns["notify"]
  bucket         = { name = module.bucket.name, arn = module.bucket.arn }
  objects        = local.told_objects
  topic_arn      = module.monitoring.topic_arn
  webhook_secret = var.slack.webhook_secret_name
  repository_url = local.repository_url
}
