locals {
  # One object a rule, keyed by what it opens: another rule in the list changes no other.
  rules = {
    for direction in ["ingress", "egress"] : direction => merge([
      for key, group in var.groups : {
        for rule in group[direction] :
        "${key} ${rule.protocol} ${coalesce(rule.from_port, -1)}-${coalesce(rule.to_port, -1)} ${coalesce(rule.cidr_ipv4, rule.group, rule.group_id, rule.prefix_list_id)}" => merge(rule, { owner = key })
      }
    ]...)
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:attached by the modules that are given its id, where this check doesn't follow
  for_each = var.groups

  name        = each.value.name
  description = each.value.description
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = each.value.name })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.rules["ingress"]

  security_group_id            = aws_security_group.this[each.value.owner].id
  description                  = each.value.description
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from_port
  to_port                      = each.value.to_port
  cidr_ipv4                    = each.value.cidr_ipv4
  prefix_list_id               = each.value.prefix_list_id
  referenced_security_group_id = each.value.group == null ? each.value.group_id : aws_security_group.this[each.value.group].id
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.rules["egress"]

  security_group_id            = aws_security_group.this[each.value.owner].id
  description                  = each.value.description
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from_port
  to_port                      = each.value.to_port
  cidr_ipv4                    = each.value.cidr_ipv4
  prefix_list_id               = each.value.prefix_list_id
  referenced_security_group_id = each.value.group == null ? each.value.group_id : aws_security_group.this[each.value.group].id
  tags                         = var.tags
}
