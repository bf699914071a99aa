output "ids" {
  description = "Ids of the groups by their keys."
  value       = { for key, group in aws_security_group.this : key => group.id }
}
