variable "instance_class" {
  description = "Size of the instances (seed: docdb_cluster_instance_class)."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must be a class such as db.r6g.large, got ${var.instance_class}."
  }
}

variable "instance_count" {
  description = "Number of instances: the writer and its readers (seed: docdb_cluster_instance_count, recommended 3)."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.instance_count >= 1 && var.instance_count <= 16 && floor(var.instance_count) == var.instance_count
    error_message = "instance_count must be a whole number from 1 to 16, got ${var.instance_count}."
  }
}

variable "backup_retention_days" {
  description = "How long automatic backups are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be between 1 and 35, got ${var.backup_retention_days}."
  }
}

variable "backup_window" {
  description = "When backups are made, UTC: where there is least to do (seed: preferred_backup_window)."
  type        = string
  default     = "02:00-03:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01]\\d|2[0-3]):[0-5]\\d-([01]\\d|2[0-3]):[0-5]\\d$", var.backup_window))
    error_message = "backup_window must read like 02:00-03:00 (UTC), got ${var.backup_window}."
  }
}

variable "maintenance_window" {
  description = "When AWS may change the cluster, UTC (seed: preferred_maintenance_window)."
  type        = string
  default     = "sun:04:00-sun:05:00"
  nullable    = false

  validation {
    condition     = can(regex("^(?i)(mon|tue|wed|thu|fri|sat|sun):([01]\\d|2[0-3]):[0-5]\\d-(mon|tue|wed|thu|fri|sat|sun):([01]\\d|2[0-3]):[0-5]\\d$", var.maintenance_window))
    error_message = "maintenance_window must read like sun:04:00-sun:05:00 (UTC), got ${var.maintenance_window}."
  }
}

variable "parameter_group_name" {
  description = "Name of the parameter group (seed: docdb_cluster_parameter_group_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][0-9a-z-]{0,254}$", var.parameter_group_name))
    error_message = "parameter_group_name must begin with a lowercase letter and hold lowercase letters, digits and hyphens, got ${var.parameter_group_name}."
  }
}

variable "tls" {
  description = "TLS of the cluster. Static: a change waits for a reboot of every instance. The seeds had it disabled."
  type        = string
  default     = "enabled"
  nullable    = false

  validation {
    condition     = contains(["enabled", "disabled", "tls1.2+", "tls1.3+", "fips-140-3"], var.tls)
    error_message = "tls must be enabled, disabled, tls1.2+, tls1.3+ or fips-140-3, got ${var.tls}."
  }
}

variable "change_stream_retention_seconds" {
  description = "How far back the change stream can be read: what a capture may at most be behind in an outage. Default the longest, 7 days."
  type        = number
  default     = 604800
  nullable    = false

  validation {
    condition     = var.change_stream_retention_seconds >= 3600 && var.change_stream_retention_seconds <= 604800
    error_message = "change_stream_retention_seconds must be between 3600 (an hour) and 604800 (7 days), got ${var.change_stream_retention_seconds}."
  }
}
