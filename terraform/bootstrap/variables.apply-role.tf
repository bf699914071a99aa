variable "apply_subjects" {
  description = <<-EOT
    Workflows that may run Terraform here, as whole subjects of GitHub's token, such as repo:acme/shop:environment:prod. null makes
    no role: Terraform is run by somebody's own.
  EOT
  type        = list(string)
  default     = null
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
