variable "directory" {
  description = "Folder with the generated documents (runbooks/documents): one JSON file an action, the very files the sandbox runs."
  type        = string
  nullable    = false

  validation {
    condition     = length(fileset(var.directory, "*.json")) > 0
    error_message = "directory must hold documents (*.json), got ${var.directory}. Way out: bun scripts/generate-documents.ts."
  }
  validation {
    condition     = alltrue([for file in fileset(var.directory, "*.json") : try(jsondecode(file("${var.directory}/${file}")).schemaVersion == "2.2", false)])
    error_message = "directory: every file must be an SSM document of schema 2.2 (the one with interpolationType ENV_VAR)."
  }
  validation {
    condition = alltrue(flatten([
      for file in fileset(var.directory, "*.json") : [
        for parameter in values(try(jsondecode(file("${var.directory}/${file}")).parameters, {})) :
        try(parameter.interpolationType, "") == "ENV_VAR" && (can(parameter.allowedPattern) || can(parameter.allowedValues))
      ]
    ]))
    error_message = "directory: every parameter needs interpolationType ENV_VAR, so that no input becomes shell text, and allowedPattern or allowedValues."
  }
}

variable "prefix" {
  description = "Begins the documents' names, as documentPrefix of the environment's document has it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,80}$", var.prefix)) && !can(regex("^(?i)(aws|amazon|amzn)", var.prefix))
    error_message = "prefix must be 1 to 80 letters, digits and any of _ . -, and not begin with aws, amazon or amzn, got ${var.prefix}."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
