output "state_bucket" {
  description = "Bucket for `terraform init -backend-config=bucket=…` of the stack."
  value       = module.state.name
}

output "github_provider_arn" {
  description = "ARN of the OIDC provider, for the roles GitHub Actions take; null where it is not made here."
  value       = one(aws_iam_openid_connect_provider.github[*].arn)
}
