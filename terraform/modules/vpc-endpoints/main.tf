data "aws_caller_identity" "this" {}

# Route tables of the private subnets lead to S3 without leaving AWS's network. It costs nothing.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
  tags              = merge(var.tags, { Name = "s3" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_services

  vpc_id             = var.vpc_id
  service_name       = "com.amazonaws.${var.region}.${each.value}"
  vpc_endpoint_type  = "Interface"
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids
  # Programs need no other address than the usual one.
  private_dns_enabled = true
  tags                = merge(var.tags, { Name = each.value })

  # Only for this account: a login carried in from elsewhere gets no way out through it.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OwnAccount"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}
