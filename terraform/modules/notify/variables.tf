variable "function_name" {
  description = "Name of the function."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.function_name))
    error_message = "function_name must be 1 to 64 letters, digits, - and _, got ${var.function_name}."
  }
}

variable "environment" {
  description = "Environment whose name every message begins with."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "package_file" {
  description = "The function's archive, as `bun scripts/build-notify.ts` writes it: the same sources give the same bytes, so a new hash means new code."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.package_file)
    error_message = "package_file must name the built archive, got ${var.package_file}. Way out: make build."
  }
}

variable "role_arn" {
  description = "ARN of the role the function runs as."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[\\w-]*:iam::\\d{12}:role/", var.role_arn))
    error_message = "role_arn must be the ARN of a role, got ${var.role_arn}."
  }
}

variable "runtime" {
  description = "Node runtime of Lambda."
  type        = string
  default     = "nodejs22.x"
  nullable    = false

  validation {
    condition     = contains(["nodejs22.x", "nodejs24.x"], var.runtime)
    error_message = "runtime must be nodejs22.x or nodejs24.x, got ${var.runtime}."
  }
}

variable "bucket" {
  description = "The environment's bucket, whose notifications this module sets, all of them."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "objects" {
  description = "Keys of the bucket whose every new version is told, by a name for each; services/notify/notices.ts says how."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.objects) > 0 && alltrue([for key in values(var.objects) : can(regex("^[\\w./-]+\\.json$", key))])
    error_message = "objects must be whole keys such as failback/current.json, one at least."
  }
}

variable "topic_arn" {
  description = "ARN of the topic of the alarms: they are told, and what Slack could not be told is sent there."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[\\w-]*:sns:[\\w-]+:\\d{12}:[\\w-]+$", var.topic_arn))
    error_message = "topic_arn must be the ARN of a topic, got ${var.topic_arn}."
  }
}

variable "webhook_secret" {
  description = "Name of the secret with the webhook's address: {\"url\": \"https://hooks.slack.com/services/…\"}."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w/+=.@-]{1,512}$", var.webhook_secret))
    error_message = "webhook_secret must be the name of a secret in Secrets Manager. The webhook's address is what that secret holds, and belongs nowhere else."
  }
}

variable "repository_url" {
  description = "Where runbooks are started, such as https://github.com/acme/data; null leaves messages without links."
  type        = string
  default     = null

  validation {
    condition     = var.repository_url == null ? true : can(regex("^https://[\\w.-]+(:\\d+)?/[\\w.-]+/[\\w.-]+$", var.repository_url))
    error_message = "repository_url must read like https://github.com/acme/data, got ${coalesce(var.repository_url, "nothing")}."
  }
}

variable "log_retention_days" {
  description = "How long the function's log is kept: it says what was told when."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days CloudWatch has (such as 30, 90, 365), got ${var.log_retention_days}."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
