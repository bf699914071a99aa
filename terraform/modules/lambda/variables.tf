variable "function_name" {
  description = "Name of the create-user-db function (seed: lambda_create_user_db_function_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.function_name))
    error_message = "function_name must be 1 to 64 letters, digits, - and _, got ${var.function_name}."
  }
}

variable "environment" {
  description = "Environment the function belongs to; it refuses requests of another one."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "package_file" {
  description = "The function's archive, as `bun scripts/build-create-user-db.ts` writes it: the same sources give the same bytes, so a new hash means new code."
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
    condition     = contains(["nodejs20.x", "nodejs22.x", "nodejs24.x"], var.runtime)
    error_message = "runtime must be nodejs20.x, nodejs22.x or nodejs24.x, got ${var.runtime}."
  }
}

variable "timeout_seconds" {
  description = "How long one call may take; about 20 ms a collection. A call that runs out of it goes on where it stopped."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be between 30 and 900, got ${var.timeout_seconds}."
  }
}

variable "subnet_ids" {
  description = "Private subnets from which DocumentDB, Secrets Manager and S3 are reached (seed: lambda_subnet_ids). Empty: outside a VPC, as in the sandbox."
  type        = list(string)
  nullable    = false

  validation {
    condition     = (length(var.subnet_ids) == 0) == (length(var.security_group_ids) == 0)
    error_message = "subnet_ids and security_group_ids go together: give both or neither."
  }
}

variable "security_group_ids" {
  description = "Security groups of the function in the VPC."
  type        = list(string)
  nullable    = false
}

variable "bucket" {
  description = "The environment's bucket: the function reads there whether a failback is open."
  type        = string
  nullable    = false
}

variable "master_secret" {
  description = "Name or ARN of the secret with the master user's username and password."
  type        = string
  nullable    = false
}

variable "replication_secret" {
  description = "Name or ARN of the secret with username and password of the user DMS writes with."
  type        = string
  nullable    = false
}

variable "documentdb" {
  description = "Where DocumentDB answers, for a master secret without host or uri of its own."
  type        = object({ host = string, port = optional(number, 27017) })
  nullable    = false

  validation {
    condition     = var.documentdb.port >= 1 && var.documentdb.port <= 65535
    error_message = "documentdb.port must be between 1 and 65535, got ${var.documentdb.port}."
  }
}

variable "provision" {
  description = <<-EOT
    Calls the function as Terraform creates, changes and destroys: `databases` from module task-config, `trigger` a text whose
    change calls again (the version of the user's secret). null leaves the calls to `roundtrip apply`.
  EOT
  type = object({
    databases = list(object({
      name        = string
      collections = list(object({ name = string, renamedFrom = optional(string) }))
    }))
    trigger = optional(string)
  })
  default = null
}

variable "log_retention_days" {
  description = "How long the function's log is kept: it says who was made or dropped when."
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
