# One machine with the role it runs as, reached through SSM: no key pair, no public address, nothing installed.
provider "aws" {
  region = "us-east-1"
}

module "role" {
  source = "../../modules/iam"

  roles = {
    host = {
      name                = "orders-dev-failback"
      policy_name         = "orders-dev-failback"
      description         = "The failback host"
      service             = "ec2.amazonaws.com"
      instance_profile    = true
      managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
      statements          = []
    }
  }
}

module "host" {
  source = "../../modules/ec2"

  name               = "orders-dev-failback"
  role               = "failback"
  ami                = "ami-0123456789abcdef0"
  subnet_id          = "subnet-0123456789abcdef0"
  security_group_ids = ["sg-0123456789abcdef0"]
  instance_profile   = module.role.instance_profiles["host"]
}

output "instance_id" {
  description = "Id of the machine: aws ssm start-session --target."
  value       = module.host.instance_id
}
