variable "name" {
  description = "Name of the machine (seed: ec2_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9 ._-]{1,128}$", var.name))
    error_message = "name must be 1 to 128 letters, digits, spaces and any of . _ -, got ${var.name}."
  }
}

variable "role" {
  description = "What the machine is for: failback, on only in an outage, or operations, always on. Its tag `role`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["failback", "operations"], var.role)
    error_message = "role must be failback or operations, got ${var.role}."
  }
}

variable "ami" {
  description = "Image: Amazon Linux 2023 or Debian 12, with the SSM agent. A newer one does not replace a machine that stands."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^ami-[0-9a-f]+$", var.ami))
    error_message = "ami must be the id of an image, got ${var.ami}."
  }
}

variable "instance_type" {
  description = "Size of the machine (seed: ec2_instance_type, recommended t3.large)."
  type        = string
  default     = "t3.large"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be a type such as t3.large, got ${var.instance_type}."
  }
}

variable "subnet_id" {
  description = "Private subnet of the machine (seed: ec2_subnet_id)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^subnet-[0-9a-z]+$", var.subnet_id))
    error_message = "subnet_id must be the id of a subnet, got ${var.subnet_id}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the machine."
  type        = list(string)
  nullable    = false
}

variable "instance_profile" {
  description = "Name of the instance profile the machine runs with."
  type        = string
  nullable    = false
}

variable "volume_gigabytes" {
  description = "Size of the encrypted disk (seed: ec2_volume_size, recommended 50)."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.volume_gigabytes >= 20 && var.volume_gigabytes <= 16384
    error_message = "volume_gigabytes must be between 20 and 16384, got ${var.volume_gigabytes}."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the disk; null uses the account's own key of EBS."
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
