variable "settings" {
  description = <<-EOT
    What of core/failback/documents.ts `defaultSettings` is to be otherwise here: batches of the log, its compression, how the drain is
    seen, whose write wins a conflict, how far before DMS's checkpoint the tail begins, the objectives. What is left out has its default.
  EOT
  type = object({
    maxEventsPerObject = optional(number)
    maxBytesPerFlush   = optional(number)
    maxDelayMs         = optional(number)
    compression        = optional(string)
    heartbeatSeconds   = optional(number)
    drain              = optional(string)
    quietSeconds       = optional(number)
    conflictPolicy     = optional(string)
    tailMarginSeconds  = optional(number)
    rtoSecondsMax      = optional(number)
    rpoSecondsMax      = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.settings.compression == null ? true : contains(["none", "zstd"], var.settings.compression)
    error_message = "settings.compression must be none or zstd, got ${coalesce(var.settings.compression, "nothing")}."
  }
  validation {
    condition     = var.settings.drain == null ? true : contains(["fence", "quiet"], var.settings.drain)
    error_message = "settings.drain must be fence or quiet, got ${coalesce(var.settings.drain, "nothing")}."
  }
  validation {
    condition     = var.settings.conflictPolicy == null ? true : contains(["documentdb", "mongodb", "stop"], var.settings.conflictPolicy)
    error_message = "settings.conflictPolicy must be documentdb, mongodb or stop, got ${coalesce(var.settings.conflictPolicy, "nothing")}."
  }
}
