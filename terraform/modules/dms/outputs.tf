output "replication_instance_arn" {
  description = "ARN of the replication instance the tasks run on."
  value       = local.replication_instance_arn
}

output "source_endpoint_arn" {
  description = "ARN of the endpoint DMS reads MongoDB through."
  value       = aws_dms_endpoint.source.endpoint_arn
}

output "target_endpoint_arns" {
  description = "ARNs of the endpoints DMS writes DocumentDB through, by identifier."
  value       = { for id, endpoint in aws_dms_endpoint.target : id => endpoint.endpoint_arn }
}

output "task_arns" {
  description = "ARNs of the replication tasks by id: what apply and the runbooks start and stop."
  value       = { for id, task in aws_dms_replication_task.this : id => task.replication_task_arn }
}
