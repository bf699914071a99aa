module "vpc_endpoints" {
  source = "../modules/vpc-endpoints"
  count  = var.vpc_endpoints == null ? 0 : 1

  vpc_id             = var.vpc_id
  region             = var.region
  subnet_ids         = var.vpc_endpoints.subnet_ids
  route_table_ids    = var.vpc_endpoints.route_table_ids
  security_group_ids = [module.security_groups.ids["endpoints"]]
  interface_services = var.vpc_endpoints.interface_services
}
