variable "region" {
  description = "Region of the state's bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must be a region such as us-east-1, got ${var.region}."
  }
}

variable "state_bucket_name" {
  description = "Name of the bucket that holds the state of every environment of this account."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of the state's bucket; null uses S3's own keys. The state holds the password DMS writes with."
  type        = string
  default     = null
}

variable "make_dms_roles" {
  description = "Makes dms-vpc-role and dms-cloudwatch-logs-role. false where the account has them already: AWS fixes both names."
  type        = bool
  default     = true
  nullable    = false
}

variable "make_github_provider" {
  description = "Makes the OIDC provider by which GitHub Actions take roles. false where the account has it already: there can be one only."
  type        = bool
  default     = true
  nullable    = false
}
