variable "backup_schedule" {
  description = "When MongoDB is backed up: five fields of cron (minute, hour, day, month, weekday), in UTC. What runbook reschedule sets goes before it."
  type        = string
  default     = "0 0 * * *"
  nullable    = false

  validation {
    condition     = can(regex("(?i)^${join(" ", local.cron_fields)}$", var.backup_schedule))
    error_message = "backup_schedule must be five fields of cron like 0 0 * * *, with numbers a clock and a calendar have, got ${var.backup_schedule}."
  }
}

variable "backup_compression" {
  description = "How a backup's archive is compressed: gzip, which mongorestore reads by itself, or zstd, which is quicker and smaller."
  type        = string
  default     = "gzip"
  nullable    = false

  validation {
    condition     = contains(["gzip", "zstd"], var.backup_compression)
    error_message = "backup_compression must be gzip or zstd, got ${var.backup_compression}."
  }
}

variable "backup_verify_after_minutes" {
  description = "Minutes from the end of a backup to its verification."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.backup_verify_after_minutes >= 0 && var.backup_verify_after_minutes <= 1380 && floor(var.backup_verify_after_minutes) == var.backup_verify_after_minutes
    error_message = "backup_verify_after_minutes must be a whole number from 0 to 1380, got ${var.backup_verify_after_minutes}."
  }
}

variable "backup_verify_levels" {
  description = "What a verification does: 1 hashes, 2 reads and counts, 3 restores into the scratch server and compares. Null: all that can be done here."
  type        = set(number)
  default     = null

  validation {
    condition     = var.backup_verify_levels == null ? true : length(var.backup_verify_levels) > 0 && length(setsubtract(var.backup_verify_levels, [1, 2, 3])) == 0
    error_message = "backup_verify_levels must be some of 1, 2 and 3, got ${join(", ", coalesce(var.backup_verify_levels, []))}."
  }
}

variable "backup_scratch_secret_name" {
  description = "Secret of a MongoDB server of its own that backups are restored into to be verified (level 3), and by the monthly test of recovery; null where there is none. What is in it is overwritten."
  type        = string
  default     = null

  validation {
    condition     = var.backup_scratch_secret_name == null ? true : !contains([var.mongodb_secret_name, var.mongodb_dms_secret_name, var.docdb_secret_name], var.backup_scratch_secret_name)
    error_message = "backup_scratch_secret_name must be the secret of a server of its own, got that of one that is in use: ${coalesce(var.backup_scratch_secret_name, "nothing")}."
  }
}

variable "backup_oplog_flush_seconds" {
  description = "From an operation on MongoDB to its being in the oplog's archive, at most: what is missing when MongoDB is lost. Fewer seconds are more objects."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.backup_oplog_flush_seconds >= 1 && var.backup_oplog_flush_seconds <= 60 && floor(var.backup_oplog_flush_seconds) == var.backup_oplog_flush_seconds
    error_message = "backup_oplog_flush_seconds must be a whole number from 1 to 60, got ${var.backup_oplog_flush_seconds}."
  }
}

locals {
  # One item of each field, and lists of them: * or a number or a range, with a step behind what is more than one number.
  cron_numbers = [
    "([0-5]?[0-9])",
    "([01]?[0-9]|2[0-3])",
    "(0?[1-9]|[12][0-9]|3[01])",
    "(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "(0?[0-7]|sun|mon|tue|wed|thu|fri|sat)",
  ]
  cron_items  = [for number in local.cron_numbers : "([*](/[1-9][0-9]?)?|${number}(-${number}(/[1-9][0-9]?)?)?)"]
  cron_fields = [for item in local.cron_items : "${item}(,${item})*"]

  # schemas/environment.schema.json
  backups_document = { for name, value in {
    schedule           = var.backup_schedule
    compression        = var.backup_compression
    verifyAfterMinutes = var.backup_verify_after_minutes
    levels             = var.backup_verify_levels
    scratchSecret      = var.backup_scratch_secret_name
    oplogFlushSeconds  = var.backup_oplog_flush_seconds
  } : name => value if value != null }
}
