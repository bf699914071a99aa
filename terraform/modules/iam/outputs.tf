output "role_arns" {
  description = "ARNs of the roles by key, known once they may do what they are for."
  value       = { for key, role in aws_iam_role.this : key => role.arn }

  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]
}

output "instance_profiles" {
  description = "Names of the instance profiles by key."
  value       = { for key, profile in aws_iam_instance_profile.this : key => profile.name }
}
