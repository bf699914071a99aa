locals {
  attachments = merge([
    for key, role in var.roles : { for arn in role.managed_policy_arns : "${key} ${arn}" => { role = key, arn = arn } }
  ]...)
}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "trust" {
  for_each = var.roles

  statement {
    actions = [each.value.github == null ? "sts:AssumeRole" : "sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = each.value.github != null ? "Federated" : each.value.principals != null ? "AWS" : "Service"
      identifiers = each.value.github != null ? [each.value.github.provider_arn] : each.value.principals != null ? each.value.principals : [each.value.service]
    }
    # GitHub signs who asks: this audience, from exactly these workflows.
    dynamic "condition" {
      for_each = each.value.github == null ? {} : { aud = ["sts.amazonaws.com"], sub = each.value.github.subjects }
      content {
        test     = "StringEquals"
        variable = "token.actions.githubusercontent.com:${condition.key}"
        values   = condition.value
      }
    }
    # Only for this account: a service that acts for several can't be made to act for another one.
    dynamic "condition" {
      for_each = contains(["ec2.amazonaws.com", "lambda.amazonaws.com"], coalesce(each.value.service, "ec2.amazonaws.com")) ? [] : [true]
      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.this.account_id]
      }
    }
  }
}

data "aws_iam_policy_document" "grants" {
  for_each = var.roles

  dynamic "statement" {
    for_each = each.value.statements
    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions
        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = var.roles

  name               = each.value.name
  description        = each.value.description
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  tags               = var.tags
}

resource "aws_iam_role_policy" "this" {
  for_each = { for key, role in var.roles : key => role if length(role.statements) > 0 }

  name   = each.value.policy_name
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.grants[each.key].json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attachments

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = each.value.arn
}

resource "aws_iam_instance_profile" "this" {
  for_each = { for key, role in var.roles : key => role if role.instance_profile }

  name = each.value.name
  role = aws_iam_role.this[each.key].name
  tags = var.tags
}
