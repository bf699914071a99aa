variable "tasks" {
  description = "Replication tasks by id: target endpoint, table mappings and settings as JSON text. Module task-config gives them."
  type = map(object({
    endpoint_id               = string
    table_mappings            = string
    replication_task_settings = string
  }))
  nullable = false

  validation {
    condition = alltrue([
      for id in keys(var.tasks) : can(regex("^[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*$", id)) && length(id) <= 255
    ])
    error_message = "tasks: ids must begin with a letter and hold letters, digits and single hyphens, 255 characters at most, got ${join(", ", keys(var.tasks))}."
  }
  validation {
    condition     = alltrue([for task in var.tasks : contains(keys(var.target_endpoints), task.endpoint_id)])
    error_message = "tasks: each endpoint_id must be one of target_endpoints (${join(", ", keys(var.target_endpoints))})."
  }
  validation {
    condition     = alltrue([for task in var.tasks : can(jsondecode(task.table_mappings).rules) && can(jsondecode(task.replication_task_settings))])
    error_message = "tasks: table_mappings must be JSON with rules, replication_task_settings JSON."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
