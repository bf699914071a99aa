# The secret with the login of the user DMS writes DocumentDB with.
provider "aws" {
  region = "us-east-1"
}

module "secrets" {
  source = "../../modules/secrets"

  replication_secret_name = "orders/dev/replication"
  replication_username    = "dms_replication"
  recovery_window_days    = 7
}

output "secret_name" {
  description = "Name of the secret."
  value       = module.secrets.replication_secret_name
}
