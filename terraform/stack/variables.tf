variable "environment" {
  description = "Environment of this state: dev, qa or prod."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must be a region such as us-east-1, got ${var.region}."
  }
}

variable "account_id" {
  description = "Account this environment lives in: any other is refused. null checks nothing."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null ? true : can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must be 12 digits, got ${coalesce(var.account_id, "nothing")}."
  }
}

variable "tasks_file" {
  description = "Path of tasks.yaml: what is replicated."
  type        = string
  default     = "../../tasks.yaml"
  nullable    = false
}

variable "vpc_id" {
  description = "VPC of everything."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of DocumentDB, DMS, the secret, the bucket and the machine's disk (seed: kms_key_arn); null uses each service's own key."
  type        = string
  default     = null
}

variable "tags" {
  description = "More tags of everything."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "administrators" {
  description = "Users of DocumentDB that may write at any time because they administer it: the master user and Roundtrip's own."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.administrators) > 0
    error_message = "administrators must name the master user and Roundtrip's own user at least."
  }
}

variable "application_users" {
  description = "Users the applications write DocumentDB with in an outage, each with the secret of its login."
  type        = list(object({ name = string, secret = string }))
  nullable    = false

  validation {
    condition     = length(var.application_users) > 0
    error_message = "application_users must name one user at least: without it nobody can write in an outage."
  }
}

variable "other_writers" {
  description = "Other users that may write in normal times and must be demoted in an outage."
  type        = list(object({ name = string, secret = string }))
  default     = []
  nullable    = false
}
