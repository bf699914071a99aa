locals {
  # Each graph: title, and the metrics of the alarms it shows with the line from which on they ring.
  graphs = [
    for graph in [
      { title = "Replication: seconds behind", keys = [for key in sort(keys(local.replication_alarms)) : key] },
      { title = "Replication instance: bytes free", keys = keys(local.replication_instance_alarms) },
      { title = "DocumentDB: CPU", keys = ["documentdb-cpu"] },
      { title = "DocumentDB: memory free", keys = ["documentdb-memory"] },
      { title = "DocumentDB: readers behind", keys = ["documentdb-replica-lag"] },
      { title = "Hosts: failed checks", keys = [for key in sort(keys(local.host_alarms)) : key if endswith(key, "-status")] },
      { title = "Hosts: disk used", keys = [for key in sort(keys(local.host_alarms)) : key if endswith(key, "-disk")] },
      { title = "Backup: age", keys = [for key in ["backup-age", "restore-test-age"] : key if contains(keys(local.own_alarms), key)] },
      { title = "Oplog: seconds behind", keys = [for key in ["oplog-lag"] : key if contains(keys(local.own_alarms), key)] },
      { title = "Capture", keys = [for key in ["capture-lag", "capture-token", "capture-heartbeat"] : key if contains(keys(local.own_alarms), key)] },
    ] : graph if length(graph.keys) > 0
  ]

  widgets = concat(
    [{
      type       = "alarm"
      x          = 0
      y          = 0
      width      = 24
      height     = 4
      properties = { title = "Alarms of ${var.environment}", alarms = [for key in sort(keys(local.alarms)) : aws_cloudwatch_metric_alarm.this[key].arn] }
    }],
    [
      for index, graph in local.graphs : {
        type   = "metric"
        x      = 8 * (index % 3)
        y      = 4 + 6 * floor(index / 3)
        width  = 8
        height = 6
        properties = {
          title  = graph.title
          region = var.region
          period = 60
          stat   = "Maximum"
          # CloudWatch draws 500 lines at most.
          metrics = [
            for key in slice(graph.keys, 0, min(500, length(graph.keys))) :
            concat([local.alarms[key].namespace, local.alarms[key].metric], flatten([for name, value in local.alarms[key].dimensions : [name, value]]), [{ label = key }])
          ]
          annotations = { horizontal = [for threshold in distinct([for key in graph.keys : local.alarms[key].threshold]) : { label = "alarm", value = threshold }] }
        }
      }
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = local.widgets })
}
