variable "replication_secret_name" {
  description = "Name of the secret with the login of the user DMS writes with (seed: dms_secret_user_replication_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9/_+=.@-]{1,512}$", var.replication_secret_name))
    error_message = "replication_secret_name must be 1 to 512 letters, digits and any of /_+=.@-, got ${var.replication_secret_name}."
  }
}

variable "replication_username" {
  description = "Name of the user DMS writes with (seed: dms_user_replication_username). Another name makes another password."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,62}$", var.replication_username))
    error_message = "replication_username must begin with a letter and hold up to 63 letters, digits, _ and -, got ${var.replication_username}."
  }
}

variable "password_generation" {
  description = "Counts up to make another password for the same user."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.password_generation >= 1 && floor(var.password_generation) == var.password_generation
    error_message = "password_generation must be a whole number from 1 up, got ${var.password_generation}."
  }
}

variable "recovery_window_days" {
  description = "How long a deleted secret can be had again, and its name stays taken: 7 to 30 days, or 0 for none (never in prod)."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "recovery_window_days must be 0, or between 7 and 30, got ${var.recovery_window_days}."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the secret; null uses the account's own key of Secrets Manager."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key, got ${coalesce(var.kms_key_arn, "nothing")}."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
