provider "aws" {
  region = "us-east-1"
}

variables {
  name                          = "tests-monitoring"
  environment                   = "dev"
  region                        = "us-east-1"
  subscribers                   = [{ protocol = "email", endpoint = "on-call@example.com" }]
  replication_instance_id       = "tests"
  replication_tasks             = { shop = "arn:aws:dms:us-east-1:123456789012:task:ABCDEF" }
  documentdb_cluster_identifier = "tests"
  hosts = {
    failback   = { instance_id = "i-1", always_on = false, has_agent = true }
    operations = { instance_id = "i-2", always_on = true, has_agent = false }
  }
}

run "what_is_watched_and_what_silence_means" {
  assert {
    condition = toset(keys(output.alarms)) == toset([
      "dms-shop-source", "dms-shop-target", "dms-storage", "documentdb-cpu", "documentdb-memory", "documentdb-replica-lag",
      "host-failback-disk", "host-failback-status", "host-operations-status",
    ])
    error_message = "one alarm a thing"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dms-shop-target"].dimensions == tomap({ ReplicationInstanceIdentifier = "tests", ReplicationTaskIdentifier = "ABCDEF" })
    error_message = "DMS's own name of the task"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dms-shop-source"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["host-operations-status"].treat_missing_data == "breaching"
    error_message = "silence of what always runs is an alarm"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["host-failback-status"].treat_missing_data == "notBreaching"
    error_message = "the failback host is off in normal times"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : contains(alarm.alarm_actions, output.topic_arn) && contains(alarm.ok_actions, output.topic_arn)])
    error_message = "somebody is told, and told again when it is over"
  }
  assert {
    condition     = jsondecode(aws_sns_topic_policy.alarms.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "only alarms of this account"
  }
  assert {
    condition     = length([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget if widget.type == "metric"]) == 7
    error_message = "a graph of each that is measured"
  }
}

run "backups_and_capture_with_the_first_set_ups_thresholds" {
  variables {
    measured = ["backup", "capture"]
  }
  assert {
    condition = {
      for key in ["backup-age", "backup-size", "restore-test-age", "oplog-lag"] : key => aws_cloudwatch_metric_alarm.this[key].threshold
    } == { backup-age = 86400, backup-size = 50, restore-test-age = 2592000, oplog-lag = 60 }
    error_message = "24 h, 50 %, 30 days, one minute"
  }
  assert {
    condition     = alltrue([for key in ["backup-age", "backup-size", "restore-test-age", "oplog-lag"] : aws_cloudwatch_metric_alarm.this[key].treat_missing_data == "breaching"])
    error_message = "a run that did not happen is an alarm"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["capture-heartbeat"].comparison_operator == "GreaterThanOrEqualToThreshold" && aws_cloudwatch_metric_alarm.this["capture-heartbeat"].threshold == 3
    error_message = "three missing heartbeats"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["capture-lag"].treat_missing_data == "notBreaching"
    error_message = "no failback, no capture"
  }
}

run "another_task_changes_no_other_alarm" {
  command = plan
  variables {
    replication_tasks = {
      shop    = "arn:aws:dms:us-east-1:123456789012:task:ABCDEF"
      billing = "arn:aws:dms:us-east-1:123456789012:task:GHIJKL"
    }
  }
  assert {
    condition     = alltrue([for key, name in run.what_is_watched_and_what_silence_means.alarms : aws_cloudwatch_metric_alarm.this[key].alarm_name == name]) && aws_cloudwatch_metric_alarm.this["dms-billing-source"].threshold == 300
    error_message = "the others as they were"
  }
}

run "nobody_is_told" {
  command = plan
  variables {
    subscribers = []
  }
  expect_failures = [check.heard]
}

run "a_name_with_a_blank" {
  command = plan
  variables {
    name = "a b"
  }
  expect_failures = [var.name]
}

run "an_environment_that_is_none" {
  command = plan
  variables {
    environment = "staging"
  }
  expect_failures = [var.environment]
}

run "a_region_that_is_none" {
  command = plan
  variables {
    region = "Virginia"
  }
  expect_failures = [var.region]
}

run "a_namespace_of_amazons" {
  command = plan
  variables {
    metrics_namespace = "AWS/Roundtrip"
  }
  expect_failures = [var.metrics_namespace]
}

run "a_subscriber_by_plain_http" {
  command = plan
  variables {
    subscribers = [{ protocol = "http", endpoint = "http://example.com" }]
  }
  expect_failures = [var.subscribers]
}

run "a_task_by_its_id" {
  command = plan
  variables {
    replication_tasks = { shop = "shop" }
  }
  expect_failures = [var.replication_tasks]
}

run "metrics_of_nobody" {
  command = plan
  variables {
    measured = ["restore"]
  }
  expect_failures = [var.measured]
}

run "an_alarm_that_always_rings" {
  command = plan
  variables {
    thresholds = { oplog_lag_seconds = 0 }
  }
  expect_failures = [var.thresholds]
}

run "an_alarm_that_never_rings" {
  command = plan
  variables {
    thresholds = { disk_percent = 100 }
  }
  expect_failures = [var.thresholds]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}
