variable "name" {
  description = "Begins the endpoints' Name tags, such as roundtrip-dev."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits and hyphens, got ${var.name}."
  }
}

variable "region" {
  description = "Region of the VPC: part of the services' names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must read like us-east-1, got ${var.region}."
  }
}

variable "account_id" {
  description = "Account of the environment: only its users and roles get through the interface endpoints."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must be 12 digits, got ${var.account_id}."
  }
}

variable "vpc_id" {
  description = "VPC of the endpoints; its DNS support and DNS host names must be on, for private names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-z]+$", var.vpc_id))
    error_message = "vpc_id must be the id of a VPC, got ${var.vpc_id}."
  }
}

variable "route_table_ids" {
  description = "Route tables of the private subnets, which lead to S3 from then on."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.route_table_ids) > 0 && alltrue([for id in var.route_table_ids : startswith(id, "rtb-")])
    error_message = "route_table_ids must name at least one route table (rtb-…): without one nothing reaches S3."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the interfaces, one a zone. Each costs by the hour, for every service."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.services) == 0 || length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet for the interfaces."
  }
}

variable "security_group_ids" {
  description = "Security groups of the interfaces: they must let port 443 in from the hosts, the function and DMS."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.services) == 0 || length(var.security_group_ids) > 0
    error_message = "security_group_ids must name at least one group: without one AWS takes the VPC's default group, which lets nobody in."
  }
}

variable "services" {
  description = <<-EOT
    Services reached through interfaces of their own. The default is what hosts, the create-user-db function and DMS call in a subnet
    without internet: `ec2` (the failback host stops itself), `ec2messages`, `ssm` and `ssmmessages` (Run Command), `secretsmanager`,
    `logs` and `monitoring` (CloudWatch agent), `sts`. Leave out what the VPC has already: a private name can stand only once.
  EOT
  type        = set(string)
  default     = ["ec2", "ec2messages", "logs", "monitoring", "secretsmanager", "ssm", "ssmmessages", "sts"]
  nullable    = false

  validation {
    condition = length(setsubtract(var.services, [
      "ec2", "ec2messages", "kms", "lambda", "logs", "monitoring", "dms", "rds", "secretsmanager", "ssm", "ssmmessages", "sts",
    ])) == 0
    error_message = "services may hold ec2, ec2messages, kms, lambda, logs, monitoring, dms, rds, secretsmanager, ssm, ssmmessages and sts; S3 has its gateway."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
