# Lives for one run: neither plan nor state holds the password. DocumentDB takes neither / nor " nor @ in one.
ephemeral "random_password" "replication" {
  length           = 32
  override_special = "!#$%*()-_=+[]{}<>:?"
}

resource "aws_secretsmanager_secret" "replication" {
  #checkov:skip=CKV2_AWS_57:roundtrip rotate-credentials changes it with user and endpoints together; Secrets Manager alone would cut DMS off
  name                    = var.replication_secret_name
  description             = "Login of the user AWS DMS writes DocumentDB with"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "replication" {
  secret_id = aws_secretsmanager_secret.replication.id
  secret_string_wo = jsonencode({
    username = var.replication_username
    password = ephemeral.random_password.replication.result
  })
  # What is written counts only when this number changes: with the user name or the generation, so another name makes
  # another password, and every other apply leaves the one that is there.
  secret_string_wo_version = parseint(substr(sha256("${var.replication_username} ${var.password_generation}"), 0, 7), 16)

  # `rotate-credentials` makes new versions and moves the labels.
  lifecycle {
    ignore_changes = [version_stages]
  }
}
