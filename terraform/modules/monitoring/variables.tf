variable "name" {
  description = "What the names of alarms, topic and dashboard begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,100}$", var.name))
    error_message = "name must be 1 to 100 letters, digits, _ and -, got ${var.name}."
  }
}

variable "environment" {
  description = "Environment whose metrics are watched: the dimension of Roundtrip's own."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "region" {
  description = "Region of what is watched, for the dashboard."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must be a region such as us-east-1, got ${var.region}."
  }
}

variable "metrics_namespace" {
  description = "Namespace of Roundtrip's own metrics and of its hosts' disks."
  type        = string
  default     = "Roundtrip"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "metrics_namespace must be 1 to 255 letters, digits and any of . _ / # -, and not begin with AWS/."
  }
}

variable "subscribers" {
  description = "Who is told: mail addresses (which confirm once) or HTTPS endpoints, such as a chat's or an on-call service's."
  type        = list(object({ protocol = string, endpoint = string }))
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for subscriber in var.subscribers :
      subscriber.protocol == "email" ? can(regex("^[^@\\s]+@[^@\\s]+$", subscriber.endpoint)) : subscriber.protocol == "https" && startswith(subscriber.endpoint, "https://")
    ])
    error_message = "subscribers: protocol must be email with an address, or https with a URL."
  }
}

variable "replication_instance_id" {
  description = "Identifier of the replication instance."
  type        = string
  nullable    = false
}

variable "replication_tasks" {
  description = "ARNs of the tasks that shall run, by id."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.replication_tasks) : can(regex("^arn:aws[\\w-]*:dms:[\\w-]+:\\d{12}:task:[A-Za-z0-9-]+$", arn))])
    error_message = "replication_tasks must be ARNs of replication tasks."
  }
}

variable "documentdb_cluster_identifier" {
  description = "Name of the DocumentDB cluster."
  type        = string
  nullable    = false
}

variable "hosts" {
  description = "Machines by name. `always_on`: being off is an alarm; `has_agent`: the CloudWatch agent measures its disk."
  type        = map(object({ instance_id = string, always_on = bool, has_agent = bool }))
  nullable    = false
}

variable "measured" {
  description = "Which of Roundtrip's own programs publish their metrics here: backup, capture. An alarm on what nobody measures would ring for ever, or never."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.measured, ["backup", "capture"])) == 0
    error_message = "measured must be of backup and capture, got ${join(", ", var.measured)}."
  }
}

variable "thresholds" {
  description = "From when on it is an alarm. Those of backups are the first set-up's: 24 h, 50 %, 30 days, one minute."
  type = object({
    replication_lag_seconds             = optional(number, 300)
    replication_free_gigabytes          = optional(number, 10)
    documentdb_cpu_percent              = optional(number, 80)
    documentdb_free_memory_megabytes    = optional(number, 512)
    documentdb_replica_lag_milliseconds = optional(number, 1000)
    disk_percent                        = optional(number, 80)
    backup_age_hours                    = optional(number, 24)
    backup_size_delta_percent           = optional(number, 50)
    restore_test_age_days               = optional(number, 30)
    oplog_lag_seconds                   = optional(number, 60)
    capture_lag_seconds                 = optional(number, 60)
    capture_token_age_percent           = optional(number, 50)
    capture_heartbeats_missing          = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for threshold in values(var.thresholds) : threshold > 0])
    error_message = "thresholds must be above 0."
  }
  validation {
    condition     = alltrue([for percent in [var.thresholds.documentdb_cpu_percent, var.thresholds.disk_percent, var.thresholds.capture_token_age_percent] : percent < 100])
    error_message = "thresholds: documentdb_cpu_percent, disk_percent and capture_token_age_percent must be below 100, or the alarm never rings."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the topic; its policy must let cloudwatch.amazonaws.com use it, or no alarm is sent. null encrypts nothing: alarms hold names and numbers."
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
