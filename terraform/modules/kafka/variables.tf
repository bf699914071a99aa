variable "name" {
  description = "What the nodes' names begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,100}$", var.name))
    error_message = "name must be 1 to 100 letters, digits and any of . _ -, got ${var.name}."
  }
}

variable "node_count" {
  description = "Nodes; each runs ZooKeeper and Kafka. Three bear the loss of one; two bear none, which the plan says."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.node_count >= 2 && var.node_count <= 9 && floor(var.node_count) == var.node_count
    error_message = "node_count must be a whole number from 2 to 9, got ${var.node_count}: one node is no cluster, and ZooKeeper gets slower with each."
  }
}

variable "subnet_ids" {
  description = "Private subnets, one a zone: nodes are placed one after the other. Another order moves nodes, which makes them anew."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-z]+$", id))])
    error_message = "subnet_ids must be ids of subnets, one at least, got ${join(", ", var.subnet_ids)}."
  }
}

variable "ami" {
  description = "Image: Amazon Linux 2023 or Debian 12 with `aws` and the SSM agent. A newer one does not replace a node that stands."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^ami-[0-9a-f]+$", var.ami))
    error_message = "ami must be the id of an image, got ${var.ami}."
  }
}

variable "instance_type" {
  description = "Size of a node."
  type        = string
  default     = "t3.large"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be a type such as t3.large, got ${var.instance_type}."
  }
}

variable "security_group_ids" {
  description = "Security groups of the nodes: ZooKeeper among themselves, Kafka to its clients."
  type        = list(string)
  nullable    = false
}

variable "instance_profile" {
  description = "Name of the instance profile the nodes run with: it reads the release and the parameters."
  type        = string
  nullable    = false
}

variable "volume_gigabytes" {
  description = "Size of each node's encrypted data volume, which outlives the machine."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.volume_gigabytes >= 10 && var.volume_gigabytes <= 16384
    error_message = "volume_gigabytes must be between 10 and 16384, got ${var.volume_gigabytes}."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the disks; null uses the account's own key of EBS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key, got ${coalesce(var.kms_key_arn, "nothing")}."
  }
}

variable "parameter_path" {
  description = "What the names of the cluster's SSM parameters begin with, such as /roundtrip/qa/kafka."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.parameter_path))
    error_message = "parameter_path must be a path such as /roundtrip/qa/kafka, got ${var.parameter_path}."
  }
}

variable "retention_hours" {
  description = "Hours a topic keeps messages unless it says otherwise."
  type        = number
  default     = 168
  nullable    = false

  validation {
    condition     = var.retention_hours >= 1 && floor(var.retention_hours) == var.retention_hours
    error_message = "retention_hours must be a whole number of hours, 1 at least, got ${var.retention_hours}."
  }
}

variable "release" {
  description = <<-EOT
    What a node installs from S3, by key and sha256: the worker, Java 17 (.tgz) and Kafka 3.9.2 (.tgz), the newest with ZooKeeper.
    `environment_parameter` is the SSM parameter with the environment's document, which the worker reads. `retry_seconds` is the
    pause before the second try.
  EOT
  type = object({
    region                = string
    bucket                = string
    environment_parameter = string
    retry_seconds         = optional(number, 5)
    worker                = object({ key = string, sha256 = string })
    java                  = object({ key = string, sha256 = string })
    kafka                 = object({ key = string, sha256 = string })
  })
  nullable = false

  validation {
    condition     = alltrue([for each in [var.release.worker, var.release.java, var.release.kafka] : can(regex("^[0-9a-f]{64}$", each.sha256))])
    error_message = "release: each sha256 must be 64 digits of 0-9 and a-f, as sha256sum writes it."
  }
  validation {
    condition     = alltrue([for each in [var.release.worker, var.release.java, var.release.kafka] : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", each.key))])
    error_message = "release: keys must be of letters, digits and any of . _ / -, such as kafka_2.13-3.9.2.tgz."
  }
  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.release.environment_parameter))
    error_message = "release: environment_parameter must be a path such as /roundtrip/qa/environment, got ${var.release.environment_parameter}."
  }
  validation {
    condition     = can(regex("^[a-z0-9-]+$", var.release.region)) && can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.release.bucket))
    error_message = "release: region and bucket must be names as AWS has them: a shell reads them."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
