variable "dms_secret_user_replication_name" {
  description = "Name of the secret Terraform makes for the user DMS writes with."
  type        = string
  default     = null
}

variable "dms_user_replication_username" {
  description = "Name of the user DMS writes DocumentDB with. Another name makes another password."
  type        = string
  default     = "dms_replication"
  nullable    = false
}

variable "mongodb_dms_secret_name" {
  description = "Secret DMS reads MongoDB with: username, password, host, port (seed: mongodb_onpremise_username and _password, now never variables)."
  type        = string
  nullable    = false
}

variable "mongodb_secret_name" {
  description = "Secret with the login of Roundtrip's own user on MongoDB (docs/users-and-secrets.md)."
  type        = string
  nullable    = false
}

variable "dms_endpoint_mongodb" {
  description = "The endpoint DMS reads MongoDB through; server and port stand in its secret."
  type = object({
    endpoint_id                 = optional(string)
    database_name               = optional(string)
    auth_mechanism              = optional(string, "scram-sha-1")
    auth_source                 = optional(string, "admin")
    ssl_mode                    = optional(string, "none")
    certificate_arn             = optional(string)
    extra_connection_attributes = optional(string)
  })
  default  = {}
  nullable = false
}

variable "dms_subnet_group_mongodb_docdb" {
  description = "Subnet group of the replication instance: private subnets, two at least, in different zones."
  type = object({
    replication_subnet_group_id          = optional(string)
    subnet_ids                           = list(string)
    replication_subnet_group_description = optional(string, "Where DMS replicates MongoDB to DocumentDB")
  })
  nullable = false
}

variable "dms_ri_mongodb_docdb" {
  description = "The replication instance. Engine versions past their end of life are refused (the seed's 3.5.2 is)."
  type = object({
    replication_instance_id      = optional(string)
    allocated_storage            = optional(number, 50)
    allow_major_version_upgrade  = optional(bool, false)
    apply_immediately            = optional(bool, false)
    auto_minor_version_upgrade   = optional(bool, true)
    availability_zone            = optional(string)
    engine_version               = optional(string, "3.6.1")
    multi_az                     = optional(bool, false)
    replication_instance_class   = string
    preferred_maintenance_window = optional(string, "sun:04:00-sun:05:00")
  })
  nullable = false
}
