# Alarms of a replication by themselves: one task, its cluster, one host, and who is told.
provider "aws" {
  region = "us-east-1"
}

module "alarms" {
  source = "../../modules/monitoring"

  name                          = "orders-qa"
  environment                   = "qa"
  region                        = "us-east-1"
  subscribers                   = [{ protocol = "email", endpoint = "on-call@example.com" }]
  replication_instance_id       = "orders-qa"
  replication_tasks             = { orders = "arn:aws:dms:us-east-1:123456789012:task:ABCDEFGHIJKLMNOP" }
  documentdb_cluster_identifier = "orders-qa"
  hosts                         = { operations = { instance_id = "i-0123456789abcdef0", always_on = true, has_agent = true } }
  thresholds                    = { replication_lag_seconds = 120 }
}

output "topic_arn" {
  description = "ARN of the topic: more may be sent there."
  value       = module.alarms.topic_arn
}
