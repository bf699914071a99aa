variable "alarms" {
  description = <<-EOT
    Who is told of alarms (mail addresses confirm once), which of Roundtrip's own metrics are alarmed on (`measured`: backup, capture; null:
    both where the hosts install a release, which publishes them, none where they don't), and thresholds where the usual ones don't fit. `kms_key_arn` is a key for the topic that CloudWatch may use; not the environment's, whose
    policy may not let it.
  EOT
  type = object({
    subscribers = optional(list(object({ protocol = string, endpoint = string })), [])
    measured    = optional(set(string))
    kms_key_arn = optional(string)
    thresholds = optional(object({
      replication_lag_seconds             = optional(number)
      replication_free_gigabytes          = optional(number)
      documentdb_cpu_percent              = optional(number)
      documentdb_free_memory_megabytes    = optional(number)
      documentdb_replica_lag_milliseconds = optional(number)
      disk_percent                        = optional(number)
      backup_age_hours                    = optional(number)
      backup_size_delta_percent           = optional(number)
      restore_test_age_days               = optional(number)
      oplog_lag_seconds                   = optional(number)
      capture_lag_seconds                 = optional(number)
      capture_token_age_percent           = optional(number)
      capture_heartbeats_missing          = optional(number)
    }), {})
  })
  default  = {}
  nullable = false
}
