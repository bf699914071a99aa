variable "vpc_id" {
  description = "VPC whose private subnets reach AWS's services without the internet."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-z]+$", var.vpc_id))
    error_message = "vpc_id must be the id of a VPC, got ${var.vpc_id}."
  }
}

variable "region" {
  description = "Region of the services."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must be a region such as us-east-1, got ${var.region}."
  }
}

variable "subnet_ids" {
  description = "Private subnets the interface endpoints stand in, one a zone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "subnet_ids must name one subnet at least."
  }
}

variable "route_table_ids" {
  description = "Route tables of the private subnets, for S3's gateway endpoint (which costs nothing)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.route_table_ids) >= 1
    error_message = "route_table_ids must name one route table at least: hosts install from S3."
  }
}

variable "security_group_ids" {
  description = "Security groups of the interface endpoints: they must let HTTPS in from hosts, lambda and DMS."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) >= 1
    error_message = "security_group_ids must name one group at least."
  }
}

variable "interface_services" {
  description = "Services with an interface endpoint. SSM needs all three of its own; an endpoint costs some 7 USD a month and zone."
  type        = set(string)
  default     = ["ssm", "ssmmessages", "ec2messages", "secretsmanager", "logs", "ec2", "sts", "monitoring"]
  nullable    = false

  validation {
    condition     = length(setsubtract(["ssm", "ssmmessages", "ec2messages", "secretsmanager"], var.interface_services)) == 0
    error_message = "interface_services must hold ssm, ssmmessages, ec2messages and secretsmanager: without them no runbook reaches a host."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
