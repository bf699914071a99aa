output "nodes" {
  description = "Each node: id in the cluster, instance, address, volume. What the runbook kafka-setup is given."
  value       = local.described
}

output "brokers" {
  description = "Where clients find the cluster: address and port of each broker."
  value       = [for ip in values(local.addresses) : "${ip}:9092"]
}

output "tolerated_losses" {
  description = "How many nodes may be lost while the others still elect a leader."
  value       = local.tolerated_losses
}

output "cluster_parameter" {
  description = "Name of the SSM parameter with nodes and brokers."
  value       = aws_ssm_parameter.cluster.name
}

output "instance_arns" {
  description = "ARNs of the nodes."
  value       = [for node in aws_instance.this : node.arn]
}
