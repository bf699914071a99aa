variable "source_endpoint" {
  description = <<-EOT
    MongoDB, where DMS reads. How it is reached stands in a secret with the keys username, password, host and port: DMS reads
    it itself, nothing of it comes into Terraform's state.
    An endpoint taken over by `roundtrip adopt` has its login in DMS instead: `imported_login` names it without the password,
    which Terraform neither knows nor changes.
    `database_name` null reads every database the tasks name. `auth_mechanism` is what DMS can: SCRAM-SHA-256 isn't.
  EOT
  type = object({
    endpoint_id            = string
    secret_arn             = optional(string)
    secret_access_role_arn = optional(string)
    imported_login = optional(object({
      server_name = string
      port        = number
      username    = string
    }))
    database_name               = optional(string)
    auth_mechanism              = optional(string, "scram-sha-1")
    auth_source                 = optional(string, "admin")
    extract_doc_id              = optional(string, "true")
    ssl_mode                    = optional(string, "none")
    certificate_arn             = optional(string)
    extra_connection_attributes = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*$", var.source_endpoint.endpoint_id)) && length(var.source_endpoint.endpoint_id) <= 255
    error_message = "source_endpoint.endpoint_id must begin with a letter and hold letters, digits and single hyphens, 255 characters at most, got ${var.source_endpoint.endpoint_id}."
  }
  validation {
    condition     = (var.source_endpoint.secret_arn == null) != (var.source_endpoint.imported_login == null) && (var.source_endpoint.secret_arn == null) == (var.source_endpoint.secret_access_role_arn == null)
    error_message = "source_endpoint: give secret_arn and secret_access_role_arn, or imported_login for an endpoint that was imported."
  }
  validation {
    condition     = var.source_endpoint.secret_arn == null || can(regex("^arn:aws[\\w-]*:secretsmanager:", var.source_endpoint.secret_arn))
    error_message = "source_endpoint.secret_arn must be the ARN of a secret, got ${coalesce(var.source_endpoint.secret_arn, "nothing")}."
  }
  validation {
    condition     = var.source_endpoint.secret_access_role_arn == null || can(regex("^arn:aws[\\w-]*:iam::\\d{12}:role/", var.source_endpoint.secret_access_role_arn))
    error_message = "source_endpoint.secret_access_role_arn must be the ARN of a role, got ${coalesce(var.source_endpoint.secret_access_role_arn, "nothing")}."
  }
  validation {
    condition     = contains(["true", "false"], var.source_endpoint.extract_doc_id)
    error_message = "source_endpoint.extract_doc_id must be true or false, got ${var.source_endpoint.extract_doc_id}."
  }
  validation {
    condition     = contains(["default", "mongodb-cr", "scram-sha-1"], var.source_endpoint.auth_mechanism)
    error_message = "source_endpoint.auth_mechanism must be default, mongodb-cr or scram-sha-1 (DMS has no scram-sha-256), got ${var.source_endpoint.auth_mechanism}."
  }
  validation {
    condition     = contains(["none", "require", "verify-full"], var.source_endpoint.ssl_mode)
    error_message = "source_endpoint.ssl_mode must be none, require or verify-full, got ${var.source_endpoint.ssl_mode}."
  }
}
