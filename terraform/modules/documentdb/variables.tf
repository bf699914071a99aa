variable "cluster_identifier" {
  description = "Name of the cluster (seed: docdb_cluster_replication.cluster_identifier)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][0-9a-z]*(-[0-9a-z]+)*$", var.cluster_identifier)) && length(var.cluster_identifier) <= 63
    error_message = "cluster_identifier must begin with a lowercase letter and hold lowercase letters, digits and single hyphens, 63 characters at most, got ${var.cluster_identifier}."
  }
}

variable "environment" {
  description = "Environment the cluster belongs to. prod: deletion protection and a final snapshot can't be given up."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}

variable "engine_version" {
  description = "DocumentDB's version. 5.0.0 unless applications need 4.0.0 (the seeds' default); 8.0.0 has retryable writes from its patch 8.0.2 on."
  type        = string
  default     = "5.0.0"
  nullable    = false

  validation {
    condition     = contains(["4.0.0", "5.0.0", "8.0.0"], var.engine_version)
    error_message = "engine_version must be 4.0.0, 5.0.0 or 8.0.0 (3.6.0 has no change streams that can be resumed by time), got ${var.engine_version}."
  }
}

variable "allow_major_version_upgrade" {
  description = "Lets engine_version go up a major version in place, together with another parameter_group_name (docs/upgrades.md)."
  type        = bool
  default     = false
  nullable    = false
}

variable "master" {
  description = <<-EOT
    Master user: its name, and the secret with its password (keys username and password) that exists before the first apply (seed:
    docdb_master_user_secret_name). The password is handed over write-only; count `password_version` up when the secret has
    another. Another name replaces the cluster.
  EOT
  type = object({
    username         = string
    secret_id        = string
    password_version = optional(number, 1)
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9]{0,62}$", var.master.username))
    error_message = "master.username must begin with a letter and hold up to 63 letters and digits, got ${var.master.username}."
  }
  validation {
    condition     = var.master.password_version >= 1 && floor(var.master.password_version) == var.master.password_version
    error_message = "master.password_version must be a whole number from 1 up, got ${var.master.password_version}."
  }
}

variable "port" {
  description = "Port of the cluster."
  type        = number
  default     = 27017
  nullable    = false

  validation {
    condition     = var.port >= 1150 && var.port <= 65535
    error_message = "port must be between 1150 and 65535, got ${var.port}."
  }
}

variable "subnet_group_name" {
  description = "Name of the subnet group (seed: docdb_subnet_group_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-z_ .-]{1,255}$", var.subnet_group_name)) && var.subnet_group_name != "default"
    error_message = "subnet_group_name must be 1 to 255 lowercase letters, digits, spaces and any of _ . -, and not default, got ${var.subnet_group_name}."
  }
}

variable "subnet_ids" {
  description = "Private subnets, two at least, in different zones (seed: docdb_subnets_ids)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids must name two subnets at least, in different zones."
  }
}

variable "availability_zones" {
  description = "Zones of the cluster's storage; null leaves them to AWS. Others than at the creation replace the cluster."
  type        = list(string)
  default     = null

  validation {
    condition     = var.availability_zones == null ? true : length(distinct(var.availability_zones)) == 3
    error_message = "availability_zones must name three zones: DocumentDB spreads its storage over three, and fewer show as a change that replaces the cluster."
  }
}

variable "security_group_ids" {
  description = "Security groups of the cluster."
  type        = list(string)
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of the storage; null uses the account's own key of RDS. The storage is always encrypted."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key, got ${coalesce(var.kms_key_arn, "nothing")}."
  }
}

variable "deletion_protection" {
  description = "Refuses the cluster's deletion. Always on in prod."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.deletion_protection || var.environment != "prod"
    error_message = "deletion_protection can't be off in prod."
  }
}

variable "skip_final_snapshot" {
  description = "Deletes without a last snapshot. Never in prod."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.skip_final_snapshot && var.environment == "prod")
    error_message = "skip_final_snapshot can't be true in prod."
  }
}

variable "apply_immediately" {
  description = "Changes at once instead of in the maintenance window."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
