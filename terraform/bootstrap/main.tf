# What an account needs once, before the first environment's apply. Its own state is small and local: keep it, or import again.
provider "aws" {
  region = var.region

  default_tags {
    tags = { product = "roundtrip" }
  }
}

data "aws_partition" "this" {}

module "state" {
  source = "../modules/s3"

  name        = var.state_bucket_name
  environment = "prod"
  kms_key_arn = var.kms_key_arn
}

module "dms_roles" {
  source = "../modules/iam"

  roles = {
    for name, managed in var.make_dms_roles ? {
      dms-vpc-role             = "AmazonDMSVPCManagementRole"
      dms-cloudwatch-logs-role = "AmazonDMSCloudWatchLogsRole"
      } : {} : name => {
      name                = name
      policy_name         = name
      description         = "AWS DMS, for the whole account; AWS fixes its name"
      service             = "dms.amazonaws.com"
      managed_policy_arns = ["arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/${managed}"]
      statements          = []
    }
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.make_github_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}
