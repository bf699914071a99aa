variable "vpc_id" {
  description = "VPC of the groups."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-z]+$", var.vpc_id))
    error_message = "vpc_id must be the id of a VPC, got ${var.vpc_id}."
  }
}

variable "groups" {
  description = <<-EOT
    Security groups by key (documentdb, lambda, dms, ec2, kafka), each with its rules. A rule opens one protocol and range of ports
    to one peer: addresses (`cidr_ipv4`), another group of this map by its key (`group`), a group made elsewhere (`group_id`), or a prefix list. `protocol` "-1"
    is every protocol and takes no ports.
  EOT
  type = map(object({
    name        = string
    description = string
    ingress = optional(list(object({
      description    = string
      protocol       = optional(string, "tcp")
      from_port      = optional(number)
      to_port        = optional(number)
      cidr_ipv4      = optional(string)
      group          = optional(string)
      group_id       = optional(string)
      prefix_list_id = optional(string)
    })), [])
    egress = optional(list(object({
      description    = string
      protocol       = optional(string, "tcp")
      from_port      = optional(number)
      to_port        = optional(number)
      cidr_ipv4      = optional(string)
      group          = optional(string)
      group_id       = optional(string)
      prefix_list_id = optional(string)
    })), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for group in var.groups : can(regex("^[0-9A-Za-z_ .:/()#,@+=;{}!$*-]{1,255}$", group.name)) && !startswith(group.name, "sg-")])
    error_message = "groups: names must be 1 to 255 letters, digits, spaces and common signs, and not begin with sg-."
  }
  validation {
    condition     = alltrue([for group in var.groups : can(regex("^[0-9A-Za-z_ .:/()#,@+=&;{}!$*-]{1,255}$", group.description))])
    error_message = "groups: each needs a description of 1 to 255 plain characters; AWS can't change it later."
  }
  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for rule in concat(group.ingress, group.egress) :
        length([for peer in [rule.cidr_ipv4, rule.group, rule.group_id, rule.prefix_list_id] : peer if peer != null]) == 1
      ]
    ]))
    error_message = "groups: each rule needs exactly one of cidr_ipv4, group, group_id and prefix_list_id."
  }
  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for rule in concat(group.ingress, group.egress) : rule.group == null ? true : contains(keys(var.groups), rule.group)
      ]
    ]))
    error_message = "groups: a rule's group must be a key of this map (${join(", ", keys(var.groups))})."
  }
  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for rule in concat(group.ingress, group.egress) : rule.group_id == null ? true : can(regex("^sg-[0-9a-z]+$", rule.group_id))
      ]
    ]))
    error_message = "groups: group_id must be the id of a security group, such as sg-0123456789abcdef0."
  }
  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for rule in concat(group.ingress, group.egress) : rule.cidr_ipv4 == null ? true : can(cidrnetmask(rule.cidr_ipv4))
      ]
    ]))
    error_message = "groups: cidr_ipv4 must be a range such as 10.0.0.0/16."
  }
  validation {
    condition = alltrue(flatten([
      for group in var.groups : [
        for rule in concat(group.ingress, group.egress) :
        rule.protocol == "-1" ? rule.from_port == null && rule.to_port == null : try(rule.from_port >= 0 && rule.to_port <= 65535 && rule.from_port <= rule.to_port, false)
      ]
    ]))
    error_message = "groups: a rule needs from_port and to_port between 0 and 65535 in that order; protocol \"-1\" takes none."
  }
  validation {
    condition     = alltrue(flatten([for group in var.groups : [for rule in group.ingress : rule.cidr_ipv4 == null ? true : rule.cidr_ipv4 != "0.0.0.0/0"]]))
    error_message = "groups: no ingress from the whole internet (0.0.0.0/0); name the addresses or the group that need it."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
