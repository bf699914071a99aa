variable "replication_instance_arn" {
  description = "An existing replication instance to run the tasks on; null makes one from replication_instance."
  type        = string
  default     = null

  validation {
    condition     = var.replication_instance_arn == null || can(regex("^arn:aws[\\w-]*:dms:[\\w-]+:\\d{12}:rep:", var.replication_instance_arn))
    error_message = "replication_instance_arn must be the ARN of a DMS replication instance, got ${coalesce(var.replication_instance_arn, "nothing")}."
  }
  validation {
    condition     = (var.replication_instance_arn == null) != (var.replication_instance == null)
    error_message = "Give replication_instance_arn or replication_instance, and only one of them."
  }
}

variable "replication_instance" {
  description = <<-EOT
    The machine the tasks run on, in its subnet group (two subnets at least, in different zones). Engine versions DMS still offers
    for new instances: 3.6.1, and 3.5.4 until January 2027.
  EOT
  type = object({
    id                           = string
    class                        = string
    allocated_storage_gigabytes  = optional(number, 50)
    engine_version               = optional(string, "3.6.1")
    multi_az                     = optional(bool, false)
    availability_zone            = optional(string)
    auto_minor_version_upgrade   = optional(bool, true)
    allow_major_version_upgrade  = optional(bool, false)
    apply_immediately            = optional(bool, false)
    preferred_maintenance_window = optional(string, "sun:04:00-sun:05:00")
    kms_key_arn                  = optional(string)
    security_group_ids           = optional(list(string), [])
    subnet_group_id              = string
    subnet_group_description     = optional(string, "Where DMS replicates MongoDB to DocumentDB")
    subnet_ids                   = list(string)
  })
  default = null

  validation {
    condition     = var.replication_instance == null ? true : can(regex("^[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*$", var.replication_instance.id)) && length(var.replication_instance.id) <= 63
    error_message = "replication_instance.id must begin with a letter and hold letters, digits and single hyphens, 63 characters at most."
  }
  validation {
    condition     = var.replication_instance == null ? true : startswith(var.replication_instance.class, "dms.")
    error_message = "replication_instance.class must be a DMS class such as dms.t3.medium."
  }
  validation {
    condition     = var.replication_instance == null ? true : var.replication_instance.allocated_storage_gigabytes >= 5 && var.replication_instance.allocated_storage_gigabytes <= 6144
    error_message = "replication_instance.allocated_storage_gigabytes must be between 5 and 6144."
  }
  validation {
    condition     = var.replication_instance == null ? true : contains(["3.5.4", "3.6.1"], var.replication_instance.engine_version)
    error_message = "replication_instance.engine_version must be 3.6.1 or 3.5.4: the others are past their end of life."
  }
  validation {
    condition     = var.replication_instance == null ? true : !(var.replication_instance.multi_az && var.replication_instance.availability_zone != null)
    error_message = "replication_instance: availability_zone can't be chosen with multi_az."
  }
  validation {
    condition     = var.replication_instance == null ? true : can(regex("^(?i)(mon|tue|wed|thu|fri|sat|sun):([01]\\d|2[0-3]):[0-5]\\d-(mon|tue|wed|thu|fri|sat|sun):([01]\\d|2[0-3]):[0-5]\\d$", var.replication_instance.preferred_maintenance_window))
    error_message = "replication_instance.preferred_maintenance_window must read like sun:04:00-sun:05:00 (UTC)."
  }
  validation {
    condition     = var.replication_instance == null ? true : length(distinct(var.replication_instance.subnet_ids)) >= 2
    error_message = "replication_instance.subnet_ids must name two subnets at least, in different zones."
  }
  validation {
    condition     = var.replication_instance == null ? true : can(regex("^[0-9A-Za-z_ .-]{1,255}$", var.replication_instance.subnet_group_id)) && lower(var.replication_instance.subnet_group_id) != "default"
    error_message = "replication_instance.subnet_group_id must be 1 to 255 letters, digits, spaces and any of _ . -, and not default."
  }
}
