# The cluster alone: its security group and subnets are there, and so is the master user's secret (username, password).
provider "aws" {
  region = "us-east-1"
}

module "documentdb" {
  source = "../../modules/documentdb"

  cluster_identifier   = "orders-dev"
  environment          = "dev"
  master               = { username = "administrator", secret_id = "orders/dev/master" }
  instance_class       = "db.t3.medium"
  instance_count       = 1
  subnet_group_name    = "orders-dev"
  parameter_group_name = "orders-dev"
  subnet_ids           = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  security_group_ids   = ["sg-0123456789abcdef0"]
  deletion_protection  = false
  skip_final_snapshot  = true
}

output "endpoint" {
  description = "Host of the cluster."
  value       = module.documentdb.endpoint
}
