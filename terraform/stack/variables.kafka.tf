variable "kafka" {
  description = <<-EOT
    The Kafka cluster; null makes none. Three nodes bear the loss of one, two bear none. `release` is the worker, Java 17 and
    Kafka 3.9.2 (.tgz) in S3, by key and sha256. Clients, such as EKS: their security groups (`client_security_group_ids`) or addresses are let in to the brokers, their
    roles (`client_role_arns`) may take a role that reads the brokers' addresses. Give qa what prod has.
  EOT
  type = object({
    node_count                = optional(number, 3)
    subnet_ids                = list(string)
    instance_type             = optional(string, "t3.large")
    volume_gigabytes          = optional(number, 100)
    retention_hours           = optional(number, 168)
    client_security_group_ids = optional(list(string), [])
    client_cidr_blocks        = optional(list(string), [])
    client_role_arns          = optional(list(string), [])
    release = object({
      bucket = string
      worker = object({ key = string, sha256 = string })
      java   = object({ key = string, sha256 = string })
      kafka  = object({ key = string, sha256 = string })
    })
  })
  default = null
}
