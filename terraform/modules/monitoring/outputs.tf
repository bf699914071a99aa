output "topic_arn" {
  description = "ARN of the topic alarms are sent to."
  value       = aws_sns_topic.alarms.arn
}

output "alarms" {
  description = "Names of the alarms by key."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
