# S3 is reached by its public addresses, through the gateway endpoint too: a range of the VPC's own would not let it through.
data "aws_ec2_managed_prefix_list" "s3" {
  name = "com.amazonaws.${var.region}.s3"
}

locals {
  # The seeds' form of a rule, one peer a rule; "-1" takes no ports.
  given_rules = {
    for name, rules in {
      docdb_ingress  = var.docdb_ingress_rules
      docdb_egress   = var.docdb_egress_rules
      dms_ingress    = var.dms_ingress_rules
      dms_egress     = var.dms_egress_rules
      lambda_ingress = var.lambda_ingress_rules
      lambda_egress  = var.lambda_egress_rules
      ec2_ingress    = var.ec2_ingress_rules
      ec2_egress     = var.ec2_egress_rules
      } : name => flatten([
        for rule in rules : [
          for cidr in rule.cidr_blocks : {
            description = "as configured"
            protocol    = rule.protocol
            from_port   = rule.protocol == "-1" ? null : rule.from_port
            to_port     = rule.protocol == "-1" ? null : rule.to_port
            cidr_ipv4   = cidr
            group       = null
          }
        ]
    ])
  }

  to_documentdb   = [{ description = "DocumentDB", protocol = "tcp", from_port = local.port, to_port = local.port, cidr_ipv4 = null, group = "documentdb" }]
  to_s3           = [{ description = "S3", protocol = "tcp", from_port = 443, to_port = 443, prefix_list_id = data.aws_ec2_managed_prefix_list.s3.id }]
  endpoints       = var.vpc_endpoints == null ? [] : ["endpoints"]
  to_services     = [for key in local.endpoints : { description = "AWS services", protocol = "tcp", from_port = 443, to_port = 443, group = key }]
  from_its_groups = [for key in ["dms", "lambda", "ec2"] : { description = key, protocol = "tcp", from_port = local.port, to_port = local.port, cidr_ipv4 = null, group = key }]
}

module "security_groups" {
  source = "../modules/security-groups"

  vpc_id = var.vpc_id
  groups = merge({
    documentdb = {
      name        = coalesce(var.docdb_sg_name, "${local.prefix}-documentdb")
      description = var.docdb_sg_description
      ingress     = concat(local.from_its_groups, local.given_rules["docdb_ingress"])
      egress      = local.given_rules["docdb_egress"]
    }
    dms = {
      name        = coalesce(var.dms_sg_name, "${local.prefix}-dms")
      description = var.dms_sg_description
      ingress     = local.given_rules["dms_ingress"]
      egress      = concat(local.to_documentdb, local.to_services, local.given_rules["dms_egress"])
    }
    lambda = {
      name        = coalesce(var.lambda_sg_name, "${local.prefix}-create-user-db")
      description = var.lambda_sg_description
      ingress     = local.given_rules["lambda_ingress"]
      egress      = concat(local.to_documentdb, local.to_s3, local.to_services, local.given_rules["lambda_egress"])
    }
    ec2 = {
      name        = coalesce(var.ec2_sg_name, "${local.prefix}-failback")
      description = var.ec2_sg_description
      ingress     = local.given_rules["ec2_ingress"]
      egress      = concat(local.to_documentdb, local.to_s3, local.to_services, local.given_rules["ec2_egress"])
    }
    }, local.kafka_groups, {
    for key in local.endpoints : key => {
      name        = "${local.prefix}-endpoints"
      description = "AWS services for Roundtrip"
      ingress     = [for group in concat(["dms", "lambda", "ec2"], keys(local.kafka_groups)) : { description = group, protocol = "tcp", from_port = 443, to_port = 443, group = group }]
      egress      = []
    }
  })
}
