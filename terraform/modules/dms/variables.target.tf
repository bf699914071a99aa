variable "target" {
  description = <<-EOT
    DocumentDB, where DMS writes. User and password come from the secret (keys username and password), server and port from
    here. The provider has no way to hand DMS this secret by reference for engine docdb, so the password is in the state,
    marked sensitive: keep the state encrypted.
  EOT
  type = object({
    server_name     = string
    port            = optional(number, 27017)
    secret_id       = string
    ssl_mode        = optional(string, "verify-full")
    certificate_arn = optional(string)
    certificate_pem = optional(string)
  })
  nullable = false

  validation {
    condition     = var.target.port >= 1 && var.target.port <= 65535
    error_message = "target.port must be between 1 and 65535, got ${var.target.port}."
  }
  validation {
    condition     = contains(["none", "verify-full"], var.target.ssl_mode)
    error_message = "target.ssl_mode must be none or verify-full, got ${var.target.ssl_mode}."
  }
  validation {
    condition     = (var.target.ssl_mode == "verify-full") == (var.target.certificate_arn != null || var.target.certificate_pem != null)
    error_message = "target: verify-full needs a certificate_arn or certificate_pem (the bundle of the RDS authorities), none takes neither."
  }
  validation {
    condition     = var.target.certificate_arn == null || var.target.certificate_pem == null
    error_message = "target: give certificate_arn or certificate_pem, not both."
  }
}

variable "endpoint_kms_key_arn" {
  description = "KMS key DMS keeps the endpoints' logins with; null uses the account's key of DMS. Another one makes the endpoints anew, and their tasks."
  type        = string
  default     = null

  validation {
    condition     = var.endpoint_kms_key_arn == null || can(regex("^arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/", var.endpoint_kms_key_arn))
    error_message = "endpoint_kms_key_arn must be the ARN of a key, got ${coalesce(var.endpoint_kms_key_arn, "nothing")}."
  }
}

variable "target_endpoints" {
  description = <<-EOT
    Target endpoints by identifier, with the database each writes to. Module task-config gives them. `imported_username` is the
    user of an endpoint taken over by `roundtrip adopt`: while the secret names this user, the password DMS has stays.
  EOT
  type = map(object({
    database          = string
    imported_username = optional(string)
  }))
  nullable = false

  validation {
    condition = alltrue([
      for id in keys(var.target_endpoints) : can(regex("^[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*$", id)) && length(id) <= 255
    ])
    error_message = "target_endpoints: identifiers must begin with a letter and hold letters, digits and single hyphens, 255 characters at most, got ${join(", ", keys(var.target_endpoints))}."
  }
  validation {
    condition     = alltrue([for endpoint in var.target_endpoints : length(endpoint.database) > 0])
    error_message = "target_endpoints: each endpoint needs the name of its database."
  }
}
