resource "aws_secretsmanager_secret" "this" {
  name                    = "tests/documentdb/master"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = jsonencode({ username = "administrator", password = "of-the-master-user" })
  secret_string_wo_version = 1
}

output "id" {
  value      = aws_secretsmanager_secret.this.id
  depends_on = [aws_secretsmanager_secret_version.this]
}
