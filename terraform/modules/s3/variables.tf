variable "name" {
  description = "Name of the environment's bucket (seed: s3_bucket_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lowercase letters, digits and hyphens (a dot would break TLS), got ${var.name}."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the bucket's encryption; null uses S3's own keys (SSE-S3), which have no request quota."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key, got ${coalesce(var.kms_key_arn, "nothing")}."
  }
}

variable "dump_retention_days" {
  description = "How long a failback's dumps are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.dump_retention_days >= 7 && var.dump_retention_days <= 3650
    error_message = "dump_retention_days must be between 7 and 3650, got ${var.dump_retention_days}."
  }
}

variable "backup_retention_days" {
  description = "How long backups of MongoDB are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 3650
    error_message = "backup_retention_days must be between 7 and 3650, got ${var.backup_retention_days}."
  }
}

variable "oplog_retention_days" {
  description = "How long the archive of MongoDB's oplog is kept: at least a day longer than from one backup to the next."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.oplog_retention_days >= 2 && var.oplog_retention_days <= 365
    error_message = "oplog_retention_days must be between 2 and 365, got ${var.oplog_retention_days}."
  }
}

variable "answer_retention_days" {
  description = "How long a host's answers to `plan`, `drift` and `preflight` are kept (operations/inspections/, operations/preflights/)."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.answer_retention_days >= 1 && var.answer_retention_days <= 365
    error_message = "answer_retention_days must be between 1 and 365, got ${var.answer_retention_days}."
  }
}

variable "noncurrent_retention_days" {
  description = "How long replaced and deleted versions of objects are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.noncurrent_retention_days >= 1 && var.noncurrent_retention_days <= 3650
    error_message = "noncurrent_retention_days must be between 1 and 3650, got ${var.noncurrent_retention_days}."
  }
}

variable "force_destroy" {
  description = "Lets Terraform delete a bucket that holds objects. Never in prod."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.force_destroy && var.environment == "prod")
    error_message = "force_destroy can't be true in prod: the bucket holds backups and the log of a failback."
  }
}

variable "environment" {
  description = "Environment the bucket belongs to: dev, qa or prod."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
