variable "github" {
  description = <<-EOT
    Which workflows run Terraform here. `repository` as GitHub's token begins its subject: repo:acme/shop, or repo:acme@1/shop@2 for one made
    since July 2026. `environments` are those that live in this account. Jobs of GitHub environment ENV take the apply role, those of
    plan-ENV the plan role, nobody else. null makes neither: Terraform is run by somebody's own.
  EOT
  type        = object({ repository = string, environments = list(string) })
  default     = null

  validation {
    condition     = var.github == null ? true : can(regex("^repo:[\\w.@-]+/[\\w.@-]+$", var.github.repository))
    error_message = "github.repository must read like repo:acme/shop or repo:acme@1/shop@2, without anything behind."
  }
  validation {
    condition     = var.github == null ? true : length(var.github.environments) > 0 && length(setsubtract(var.github.environments, ["dev", "qa", "prod"])) == 0
    error_message = "github.environments must name some of dev, qa and prod."
  }
}

variable "name_prefix" {
  description = "Begins the names of all that the stack makes, as they are when its variables leave names out: the apply role can touch nothing else."
  type        = string
  default     = "roundtrip"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name_prefix))
    error_message = "name_prefix must be 2 to 31 lowercase letters, digits and hyphens, got ${var.name_prefix}."
  }
}

variable "releases_bucket_name" {
  description = "Name of the bucket that hosts install from, to be made here with the role workflow `release` puts into it; null makes neither."
  type        = string
  default     = null
}
