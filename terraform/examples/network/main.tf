# Who may talk to whom, and a way to AWS's services that isn't the internet.
provider "aws" {
  region = "us-east-1"
}

module "security_groups" {
  source = "../../modules/security-groups"

  vpc_id = "vpc-0123456789abcdef0"
  groups = {
    documentdb = {
      name        = "orders-dev-documentdb"
      description = "DocumentDB"
      ingress     = [{ description = "DMS", from_port = 27017, to_port = 27017, group = "dms" }]
    }
    dms = {
      name        = "orders-dev-dms"
      description = "DMS replication instance"
      egress = [
        { description = "DocumentDB", from_port = 27017, to_port = 27017, group = "documentdb" },
        { description = "MongoDB on premises", from_port = 27017, to_port = 27017, cidr_ipv4 = "10.20.0.0/24" },
        { description = "AWS services", from_port = 443, to_port = 443, group = "endpoints" },
      ]
    }
    endpoints = {
      name        = "orders-dev-endpoints"
      description = "Endpoints of AWS services"
      ingress     = [{ description = "DMS", from_port = 443, to_port = 443, group = "dms" }]
    }
  }
}

module "vpc_endpoints" {
  source = "../../modules/vpc-endpoints"

  vpc_id             = "vpc-0123456789abcdef0"
  region             = "us-east-1"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  route_table_ids    = ["rtb-0123456789abcdef0"]
  security_group_ids = [module.security_groups.ids["endpoints"]]
}

output "security_group_ids" {
  description = "Ids of the groups by their keys."
  value       = module.security_groups.ids
}
