locals {
  has_agent = try(var.host_release.cloudwatch_agent, null) != null

  watched_hosts = merge(
    { for role, host in module.hosts : role => { instance_id = host.instance_id, always_on = role == "operations", has_agent = local.has_agent } },
    # Keyed by the count, which is known before the nodes are there.
    { for index in range(local.has_kafka ? var.kafka.node_count : 0) : "kafka-${index + 1}" => { instance_id = module.kafka[0].nodes[index].instanceId, always_on = true, has_agent = false } },
  )
}

module "monitoring" {
  source = "../modules/monitoring"

  name                          = local.prefix
  environment                   = var.environment
  region                        = var.region
  metrics_namespace             = local.metrics_namespace
  subscribers                   = var.alarms.subscribers
  measured                      = var.alarms.measured != null ? var.alarms.measured : var.host_release != null ? ["backup", "capture"] : []
  thresholds                    = var.alarms.thresholds
  kms_key_arn                   = var.alarms.kms_key_arn
  replication_instance_id       = coalesce(var.dms_ri_mongodb_docdb.replication_instance_id, local.prefix)
  replication_tasks             = { for id, arn in module.dms.task_arns : id => arn if module.task_config.tasks[id].running }
  documentdb_cluster_identifier = local.cluster_identifier
  hosts                         = local.watched_hosts
}

output "alarm_topic_arn" {
  description = "ARN of the topic alarms are sent to."
  value       = module.monitoring.topic_arn
}
