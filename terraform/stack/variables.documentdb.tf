variable "docdb_cluster_parameter_group_name" {
  description = "Name of the cluster's parameter group."
  type        = string
  default     = null
}

variable "docdb_master_user_secret_name" {
  description = "Secret with the master user's username and password; exists before the first apply."
  type        = string
  nullable    = false
}

variable "docdb_master_username" {
  description = "Name of the master user, as its secret has it."
  type        = string
  nullable    = false
}

variable "docdb_secret_name" {
  description = "Secret with the login of Roundtrip's own user on DocumentDB (docs/users-and-secrets.md)."
  type        = string
  nullable    = false
}

variable "docdb_subnet_group_name" {
  description = "Name of the cluster's subnet group."
  type        = string
  default     = null
}

variable "docdb_subnet_ids" {
  description = "Private subnets of the cluster, two at least, in different zones (seed: docdb_subnets_ids)."
  type        = list(string)
  nullable    = false
}

variable "docdb_cluster_replication" {
  description = "The cluster: name, version, windows, backups, protection, port. What is left out has the recommended value."
  type = object({
    cluster_identifier           = optional(string)
    engine_version               = optional(string, "5.0.0")
    allow_major_version_upgrade  = optional(bool, false)
    preferred_backup_window      = optional(string, "02:00-03:00")
    backup_retention_period      = optional(number, 7)
    availability_zones           = optional(list(string))
    apply_immediately            = optional(bool, false)
    preferred_maintenance_window = optional(string, "sun:04:00-sun:05:00")
    deletion_protection          = optional(bool, true)
    skip_final_snapshot          = optional(bool, false)
    port                         = optional(number, 27017)
    tls                          = optional(string, "enabled")
    change_stream_retention      = optional(number, 604800)
  })
  default  = {}
  nullable = false
}

variable "docdb_cluster_instance_class" {
  description = "Size of the cluster's instances."
  type        = string
  nullable    = false
}

variable "docdb_cluster_instance_count" {
  description = "Number of the cluster's instances."
  type        = number
  default     = 3
  nullable    = false
}

variable "docdb_ca_bundle_file" {
  description = "File with the certificates DMS checks DocumentDB by (global-bundle.pem of RDS). null only where TLS is off."
  type        = string
  default     = null

  validation {
    condition     = (var.docdb_ca_bundle_file == null) == (var.docdb_cluster_replication.tls == "disabled")
    error_message = "docdb_ca_bundle_file is needed where the cluster's TLS is on, and only there."
  }
}
