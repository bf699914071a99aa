# Alarms by name, as data: what is measured, from when on it is too much, and what it means when nothing was measured. `breaching`: silence
# is an alarm, too; `notBreaching`: silence is normal (a host that is off).
locals {
  thresholds = var.thresholds

  replication_alarms = merge([
    for id, arn in var.replication_tasks : {
      for side in ["Source", "Target"] : "dms-${id}-${lower(side)}" => {
        description = "Task ${id}: its changes come more than ${local.thresholds.replication_lag_seconds} s late (${lower(side)}), or it doesn't run. In an outage tasks are stopped, and this is expected. Otherwise: roundtrip status, then the task's log."
        namespace   = "AWS/DMS"
        metric      = "CDCLatency${side}"
        # DMS names a task by the end of its ARN. Were that wrong, nothing would be measured, and the alarm would say so.
        dimensions = { ReplicationInstanceIdentifier = var.replication_instance_id, ReplicationTaskIdentifier = element(split(":", arn), length(split(":", arn)) - 1) }
        threshold  = local.thresholds.replication_lag_seconds
        missing    = "breaching"
      }
    }
  ]...)

  replication_instance_alarms = {
    "dms-storage" = {
      description = "The replication instance has less than ${local.thresholds.replication_free_gigabytes} GB left: changes that wait for the target fill it. Give it more (dms_ri_mongodb_docdb.allocated_storage)."
      namespace   = "AWS/DMS"
      metric      = "FreeStorageSpace"
      dimensions  = { ReplicationInstanceIdentifier = var.replication_instance_id }
      comparison  = "LessThanThreshold"
      statistic   = "Minimum"
      threshold   = local.thresholds.replication_free_gigabytes * 1024 * 1024 * 1024
      missing     = "breaching"
    }
  }

  documentdb_alarms = {
    for key, alarm in {
      cpu = {
        description = "DocumentDB's CPU is above ${local.thresholds.documentdb_cpu_percent} %."
        metric      = "CPUUtilization"
        threshold   = local.thresholds.documentdb_cpu_percent
      }
      memory = {
        description = "DocumentDB has less than ${local.thresholds.documentdb_free_memory_megabytes} MB of memory left: it throttles soon."
        metric      = "FreeableMemory"
        comparison  = "LessThanThreshold"
        statistic   = "Minimum"
        threshold   = local.thresholds.documentdb_free_memory_megabytes * 1024 * 1024
      }
      replica-lag = {
        description = "A reader of DocumentDB is more than ${local.thresholds.documentdb_replica_lag_milliseconds} ms behind."
        metric      = "DBClusterReplicaLagMaximum"
        threshold   = local.thresholds.documentdb_replica_lag_milliseconds
        # A cluster of one instance has none.
        missing = "notBreaching"
      }
    } : "documentdb-${key}" => merge({ namespace = "AWS/DocDB", dimensions = { DBClusterIdentifier = var.documentdb_cluster_identifier }, missing = "breaching" }, alarm)
  }

  host_alarms = merge([
    for name, host in var.hosts : merge(
      {
        "host-${name}-status" = {
          description = "Host ${name} (${host.instance_id}) fails its checks${host.always_on ? ", or is off" : ""}. Way out: stop and start it; in a failback another takes over from S3."
          namespace   = "AWS/EC2"
          metric      = "StatusCheckFailed"
          dimensions  = { InstanceId = host.instance_id }
          threshold   = 0
          missing     = host.always_on ? "breaching" : "notBreaching"
        }
      },
      host.has_agent ? {
        "host-${name}-disk" = {
          description = "Host ${name} (${host.instance_id}): more than ${local.thresholds.disk_percent} % of its disk is used${host.always_on ? ", or nothing measures it" : ""}."
          namespace   = var.metrics_namespace
          metric      = "disk_used_percent"
          dimensions  = { InstanceId = host.instance_id }
          threshold   = local.thresholds.disk_percent
          missing     = host.always_on ? "breaching" : "notBreaching"
        }
      } : {},
    )
  ]...)

  # What Roundtrip itself measures, by who measures it.
  own_alarms = merge([
    for part, alarms in {
      backup = {
        backup-age = {
          description = "The newest complete backup of MongoDB is older than ${local.thresholds.backup_age_hours} h, or nobody measured it: a run that did not happen."
          metric      = "BackupAgeSeconds"
          threshold   = local.thresholds.backup_age_hours * 3600
          period      = 300
          missing     = "breaching"
        }
        backup-size = {
          description = "The newest backup differs in size from the one before by more than ${local.thresholds.backup_size_delta_percent} %."
          metric      = "BackupSizeDeltaPercent"
          threshold   = local.thresholds.backup_size_delta_percent
          period      = 300
          missing     = "breaching"
        }
        restore-test-age = {
          description = "No backup was restored and compared for ${local.thresholds.restore_test_age_days} days: run dr-test."
          metric      = "RestoreTestAgeSeconds"
          threshold   = local.thresholds.restore_test_age_days * 86400
          period      = 300
          missing     = "breaching"
        }
        oplog-lag = {
          description = "The archive of the oplog is more than ${local.thresholds.oplog_lag_seconds} s behind, or nobody measured it."
          metric      = "OplogLagSeconds"
          threshold   = local.thresholds.oplog_lag_seconds
          missing     = "breaching"
        }
      }
      # Only measured while a failback is open.
      capture = {
        capture-lag = {
          description = "Capture is more than ${local.thresholds.capture_lag_seconds} s behind DocumentDB: roundtrip logs replication."
          metric      = "CaptureLagSeconds"
          threshold   = local.thresholds.capture_lag_seconds
          missing     = "notBreaching"
        }
        capture-token = {
          description = "Capture's place in the change stream has used up more than ${local.thresholds.capture_token_age_percent} % of its retention: what is older is lost for good. Act now."
          metric      = "CaptureTokenAgePercent"
          threshold   = local.thresholds.capture_token_age_percent
          missing     = "notBreaching"
        }
        capture-heartbeat = {
          description = "Capture has missed ${local.thresholds.capture_heartbeats_missing} heartbeats or more: it sees no writes."
          metric      = "CaptureHeartbeatsMissing"
          comparison  = "GreaterThanOrEqualToThreshold"
          threshold   = local.thresholds.capture_heartbeats_missing
          missing     = "notBreaching"
        }
      }
      } : {
      for key, alarm in alarms : key => merge({ namespace = var.metrics_namespace, dimensions = { Environment = var.environment } }, alarm) if contains(var.measured, part)
    }
  ]...)

  # One shape for all.
  alarms = {
    for key, alarm in merge(local.replication_alarms, local.replication_instance_alarms, local.documentdb_alarms, local.host_alarms, local.own_alarms) : key => {
      description = alarm.description
      namespace   = alarm.namespace
      metric      = alarm.metric
      dimensions  = alarm.dimensions
      threshold   = alarm.threshold
      missing     = alarm.missing
      comparison  = try(alarm.comparison, "GreaterThanThreshold")
      statistic   = try(alarm.statistic, "Maximum")
      period      = try(alarm.period, 60)
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  # Once is noise: three of five.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = var.tags
}
