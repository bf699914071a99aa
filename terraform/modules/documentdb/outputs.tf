output "cluster_identifier" {
  description = "Name of the cluster."
  value       = aws_docdb_cluster.this.id
}

output "cluster_resource_id" {
  description = "Id of the cluster that stays through a change of its name, and is another one when the cluster is replaced."
  value       = aws_docdb_cluster.this.cluster_resource_id
}

output "endpoint" {
  description = "Host of the cluster, which follows the writer; known once an instance answers."
  value       = aws_docdb_cluster.this.endpoint

  depends_on = [aws_docdb_cluster_instance.this]
}

output "port" {
  description = "Port of the cluster."
  value       = aws_docdb_cluster.this.port
}

output "change_stream_retention_seconds" {
  description = "How far back the change stream can be read."
  value       = var.change_stream_retention_seconds
}
