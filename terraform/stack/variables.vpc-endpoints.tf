variable "vpc_endpoints" {
  description = <<-EOT
    Makes the VPC's endpoints of AWS's services, so that private subnets need no internet: subnets of the interfaces (one a zone), route
    tables for S3's gateway. null where the VPC has them, or a NAT gateway: it takes one endpoint a service.
  EOT
  type = object({
    subnet_ids         = list(string)
    route_table_ids    = list(string)
    interface_services = optional(set(string))
  })
  default = null
}
