output "names" {
  description = "Names of the documents by action."
  value       = { for action, document in aws_ssm_document.this : action => document.name }
}

output "arns" {
  description = "ARNs of the documents by action: what the runner's role may send, and nothing else."
  value       = { for action, document in aws_ssm_document.this : action => document.arn }
}
