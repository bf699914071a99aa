variable "runner_role_name" {
  description = "Name of the role that roundtrip's workflows take."
  type        = string
  default     = null
}

variable "github" {
  description = <<-EOT
    Who may run roundtrip in this environment: the account's OIDC provider of GitHub (the bootstrap makes it) and whole subjects,
    such as repo:acme/shop:environment:prod. null makes no role. Terraform's own permissions are not in it: they belong to
    the bootstrap's apply role.
  EOT
  type        = object({ provider_arn = string, subjects = list(string) })
  default     = null
}
