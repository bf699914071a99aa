variable "runner_role_name" {
  description = "Name of the role that workflows with runbooks take."
  type        = string
  default     = null
}

variable "github" {
  description = <<-EOT
    Whose workflows run roundtrip in this environment: the account's OIDC provider of GitHub (the bootstrap makes it), and the repository as
    GitHub's token begins its subject, repo:acme/shop, or repo:acme@1/shop@2 for one made since July 2026. Jobs of GitHub environments
    operations-ENV and failback-ENV take the runner's role, those of look-ENV the one that looks. null makes no role. Who plans and
    applies takes the bootstrap's.
  EOT
  type        = object({ provider_arn = string, repository = string })
  default     = null

  validation {
    condition     = var.github == null ? true : can(regex("^repo:[\\w.@-]+/[\\w.@-]+$", var.github.repository))
    error_message = "github.repository must read like repo:acme/shop or repo:acme@1/shop@2, without anything behind."
  }
}
