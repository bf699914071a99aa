# A role that one GitHub environment of one repository may take, and nothing else may.
provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "this" {}

module "role" {
  source = "../../modules/iam"

  roles = {
    look = {
      name        = "orders-dev-look"
      policy_name = "orders-dev-look"
      description = "Sees DMS, changes nothing"
      github = {
        provider_arn = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:oidc-provider/token.actions.githubusercontent.com"
        subjects     = ["repo:acme/orders:environment:look-dev"]
      }
      statements = [{
        sid       = "SeeReplication"
        why       = "adapters/aws/replication-survey.ts: DMS has no narrower resource for its lists"
        actions   = ["dms:DescribeReplicationInstances", "dms:DescribeReplicationTasks"]
        resources = ["*"]
      }]
    }
  }
}

output "role_arn" {
  description = "What the environment's variable AWS_ROLE is set to."
  value       = module.role.role_arns["look"]
}
