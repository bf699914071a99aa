data "aws_caller_identity" "this" {}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch can't send to a topic with AWS's own key, and alarms hold names and numbers only. kms_key_arn takes a key of one's own.
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

# One object a subscriber, so that one more changes no other. Who gets mail has to confirm it once.
resource "aws_sns_topic_subscription" "this" {
  for_each = { for subscriber in var.subscribers : "${subscriber.protocol} ${subscriber.endpoint}" => subscriber }

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

check "heard" {
  assert {
    condition     = length(var.subscribers) > 0
    error_message = "nobody is told of an alarm: name a subscriber, such as { protocol = \"email\", endpoint = \"on-call@example.com\" }."
  }
}
