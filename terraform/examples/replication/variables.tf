variable "environment" {
  description = "Environment whose overrides of tasks.yaml apply: dev, qa or prod."
  type        = string
}

variable "tasks_file" {
  description = "Path of tasks.yaml."
  type        = string
  default     = "../../../tasks.yaml"
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "us-east-1"
}

variable "name" {
  description = "Begins the names of what is made."
  type        = string
  default     = "roundtrip"
}

variable "source_secret_arn" {
  description = "ARN of the secret with username, password, host and port of MongoDB."
  type        = string
}

variable "source_secret_access_role_arn" {
  description = "ARN of the role by which DMS reads that secret."
  type        = string
}

variable "source_auth_mechanism" {
  description = "How DMS logs in to MongoDB: default, mongodb-cr or scram-sha-1."
  type        = string
  default     = "scram-sha-1"
}

variable "target" {
  description = "DocumentDB: server, port, secret of the writing user, TLS. See module dms."
  type = object({
    server_name     = string
    port            = optional(number, 27017)
    secret_id       = string
    ssl_mode        = optional(string, "verify-full")
    certificate_pem = optional(string)
  })
}

variable "replication_instance_class" {
  description = "Size of the replication instance."
  type        = string
  default     = "dms.t3.medium"
}

variable "subnet_ids" {
  description = "Private subnets of DMS, two at least, in different zones."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the replication instance: they must reach MongoDB and DocumentDB."
  type        = list(string)
  default     = []
}
