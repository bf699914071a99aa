output "task_arns" {
  description = "ARNs of the replication tasks by id."
  value       = module.dms.task_arns
}

output "target_endpoint_arns" {
  description = "ARNs of the target endpoints by identifier."
  value       = module.dms.target_endpoint_arns
}

output "databases" {
  description = "Collections of each database."
  value       = module.task_config.databases
}
