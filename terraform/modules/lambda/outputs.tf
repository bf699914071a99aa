output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "provisioned" {
  description = "What the last call by Terraform answered; null where Terraform doesn't call."
  value       = one([for invocation in aws_lambda_invocation.provision : try(jsondecode(invocation.result), null)])
}
