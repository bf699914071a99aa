variable "tasks_file" {
  description = "Path of tasks.yaml, the file that declares every replication task."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.tasks_file)
    error_message = "tasks_file must name a file that exists, got ${var.tasks_file}."
  }
}

variable "environment" {
  description = "Environment whose overrides of tasks.yaml apply: dev, qa or prod."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "qa", "prod"], var.environment)
    error_message = "environment must be dev, qa or prod, got ${var.environment}."
  }
}
