output "replication_secret_name" {
  description = "Name of the secret, known once it holds a login."
  value       = aws_secretsmanager_secret.replication.name

  depends_on = [aws_secretsmanager_secret_version.replication]
}

output "replication_secret_arn" {
  description = "ARN of the secret."
  value       = aws_secretsmanager_secret.replication.arn
}

output "replication_secret_version_id" {
  description = "Version Terraform made: another one means another login."
  value       = aws_secretsmanager_secret_version.replication.version_id
}
