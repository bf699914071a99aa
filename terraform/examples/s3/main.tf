# A bucket for a failback's log, alone.
provider "aws" {
  region = "us-east-1"
}

module "bucket" {
  source = "../../modules/s3"

  name        = "orders-dev-failback-example"
  environment = "dev"
}

output "name" {
  description = "Name of the bucket."
  value       = module.bucket.name
}
