# The product's own SSM documents, as the runbooks send them to a host.
provider "aws" {
  region = "us-east-1"
}

module "ssm_documents" {
  source = "../../modules/ssm-documents"

  directory = "${path.module}/../../../runbooks/documents"
  prefix    = "orders-dev"
}

output "names" {
  description = "Names of the documents by action."
  value       = module.ssm_documents.names
}
