data "aws_caller_identity" "this" {}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:the log says which notices were told, and no word of them; a key of one's own would need a policy for CloudWatch, which its owner writes
  name              = "/aws/lambda/${var.function_name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:one function that calls one address; its log has each notice with its time
  #checkov:skip=CKV_AWS_115:a new account has ten executions in all and lets none be reserved
  #checkov:skip=CKV_AWS_116:its failures go to the alarms' topic, by a destination: that says what failed and why, which a dead-letter queue doesn't
  #checkov:skip=CKV_AWS_117:Slack is on the internet, and in a VPC the way there is a NAT gateway; it reaches neither database nor host
  #checkov:skip=CKV_AWS_173:its environment names a secret and holds none
  #checkov:skip=CKV_AWS_272:the hash of the archive, which the build makes the same from the same sources, is what is reviewed
  function_name    = var.function_name
  description      = "Tells Slack of changes of phase and of alarms"
  role             = var.role_arn
  runtime          = var.runtime
  handler          = "index.handler"
  memory_size      = 256
  timeout          = 60
  filename         = var.package_file
  source_code_hash = filebase64sha256(var.package_file)
  tags             = var.tags

  environment {
    variables = merge(
      {
        ROUNDTRIP_ENVIRONMENT    = var.environment
        ROUNDTRIP_BUCKET         = var.bucket.name
        ROUNDTRIP_WEBHOOK_SECRET = var.webhook_secret
      },
      var.repository_url == null ? {} : { ROUNDTRIP_REPOSITORY = var.repository_url },
    )
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

# Each call that fails is repeated after one minute and after two; what then still fails is said where alarms are. Six hours is
# Lambda's own longest wait where it can't call at all.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 21600

  destination_config {
    on_failure {
      destination = var.topic_arn
    }
  }
}

# Without an id of its own: one that an apply made and did not write down is no obstacle to the next.
resource "aws_lambda_permission" "bucket" {
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = var.bucket.arn
  source_account = data.aws_caller_identity.this.account_id
}

resource "aws_lambda_permission" "topic" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = var.topic_arn
}

# All notifications of the bucket: S3 has one list of them, so nothing else may set it.
resource "aws_s3_bucket_notification" "this" {
  bucket = var.bucket.name

  dynamic "lambda_function" {
    for_each = var.objects
    content {
      id                  = lambda_function.key
      lambda_function_arn = aws_lambda_function.this.arn
      events              = ["s3:ObjectCreated:*"]
      # Both together are the whole key.
      filter_prefix = lambda_function.value
      filter_suffix = lambda_function.value
    }
  }

  # S3 tries whether it may call before it takes this.
  depends_on = [aws_lambda_permission.bucket]
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn = var.topic_arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.topic]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.function_name}-errors"
  alarm_description   = "Slack could not be told of a change of phase or an alarm. Lambda tries twice more; what then still fails comes as its record. Way out: the function's log, and docs/slack.md."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
  tags                = var.tags
}
