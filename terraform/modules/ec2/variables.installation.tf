variable "installation" {
  description = <<-EOT
    What the machine installs at its first start, all of it from S3: private subnets need no internet. `artifacts` by key and sha256:
    the worker, MongoDB Database Tools (a .tgz), DocumentDB's CA bundle and the CloudWatch agent (.rpm or .deb). `units` are files of
    systemd by name, those of `enabled_units` are enabled. `environment_parameter` is kept as /etc/roundtrip/environment.json. Names of
    secrets, never values: whoever may describe instances reads it. null leaves the machine as its image is.
  EOT
  type = object({
    region                = string
    bucket                = string
    environment_parameter = string
    log_group             = string
    metrics_namespace     = optional(string, "Roundtrip")
    retry_seconds         = optional(number, 5)
    units                 = map(string)
    enabled_units         = optional(list(string), [])
    artifacts = object({
      worker           = object({ key = string, sha256 = string })
      database_tools   = object({ key = string, sha256 = string })
      ca_bundle        = optional(object({ key = string, sha256 = string }))
      cloudwatch_agent = optional(object({ key = string, sha256 = string }))
    })
  })
  default = null

  validation {
    condition = var.installation == null ? true : alltrue([
      for artifact in values(var.installation.artifacts) : artifact == null ? true : can(regex("^[0-9a-f]{64}$", artifact.sha256))
    ])
    error_message = "installation: each sha256 must be 64 digits of 0-9 and a-f, as sha256sum writes it."
  }
  validation {
    condition = var.installation == null ? true : alltrue([
      for artifact in values(var.installation.artifacts) : artifact == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", artifact.key))
    ])
    error_message = "installation: keys must be of letters, digits and any of . _ / -, such as releases/1.2.0/roundtrip-worker."
  }
  validation {
    condition = var.installation == null ? true : alltrue([
      for pair in [["region", "^[a-z0-9-]+$"], ["bucket", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"], ["environment_parameter", "^/[A-Za-z0-9._/-]+$"]] :
      can(regex(pair[1], var.installation[pair[0]]))
    ])
    error_message = "installation: region, bucket and environment_parameter must be names as AWS has them: a shell reads them."
  }
  validation {
    condition = var.installation == null ? true : alltrue([
      for name in concat(keys(var.installation.units), var.installation.enabled_units) : can(regex("^[A-Za-z0-9@_-]+\\.(service|timer)$", name))
    ])
    error_message = "installation: units must be named as systemd names them, such as backup.service or backup.timer."
  }
  validation {
    condition     = var.installation == null ? true : alltrue([for text in values(var.installation.units) : !can(regex("(?m)^END OF FILE$", text))])
    error_message = "installation: a unit can't hold the line END OF FILE, by which user data knows its end."
  }
  validation {
    condition     = var.installation == null ? true : length(var.installation.units) > 0
    error_message = "installation: units must hold the worker's units (services/units), got none."
  }
  validation {
    condition     = var.installation == null ? true : length(setsubtract(var.installation.enabled_units, keys(var.installation.units))) == 0
    error_message = "installation: enabled_units must be among units."
  }
  validation {
    condition     = var.installation == null ? true : try(var.installation.artifacts.cloudwatch_agent, null) == null ? true : can(regex("\\.(rpm|deb)$", var.installation.artifacts.cloudwatch_agent.key))
    error_message = "installation: the CloudWatch agent must be a .rpm or a .deb."
  }
}
