output "tasks" {
  description = "Tasks by id: database, endpoint, owners, whether it shall run, table mappings and DMS settings (both as objects and as JSON text)."
  value = {
    for id, task in local.tasks : id => {
      database                  = task.database
      endpoint_id               = local.endpoint_of[task.database]
      collections               = keys(local.collections[id])
      owners                    = try(task.owners, local.defaults.owners, [])
      running                   = try(task.environments[var.environment].running, task.running, local.defaults.running, true)
      mappings                  = local.mappings[id]
      settings                  = local.task_settings[id]
      table_mappings            = jsonencode(local.mappings[id])
      replication_task_settings = jsonencode(local.task_settings[id])
    }
  }

  precondition {
    condition     = try(local.file.version == 1, false)
    error_message = "${var.tasks_file}: expected version: 1. Way out: roundtrip validate names what is wrong."
  }
  precondition {
    condition     = length(local.tasks) == length(local.declared)
    error_message = "${var.tasks_file}: expected each task id once. Way out: roundtrip validate names the one that stands there twice."
  }
  precondition {
    condition     = alltrue(flatten([for collections in local.collections : [for entries in collections : length(entries) == 1]]))
    error_message = "${var.tasks_file}: expected each collection once in a task. Way out: roundtrip validate names it."
  }
  precondition {
    # A bare 2024_01 or on is text to roundtrip and something else to Terraform; a bare date comes out as a time the file
    # doesn't hold.
    condition = alltrue(flatten([
      for task in local.declared : [
        for name in concat([task.id, task.database], [for entry in task.collections : try(entry.name, entry)]) :
        try(name == tostring(name), false) && (!can(regex("^\\d{4}-\\d{2}-\\d{2}T.*Z$", name)) || strcontains(local.text, name))
      ]
    ]))
    error_message = "${var.tasks_file}: expected every id and name to be text for Terraform too. Way out: put quotes around names that look like numbers, dates or yes and no."
  }
  precondition {
    condition     = alltrue([for ids in local.used_rule_ids : length(distinct(ids)) == length(ids)])
    error_message = "${var.tasks_file}: two collections of a task have the same rule id. Way out: put one of them into a task of its own."
  }
  precondition {
    condition     = alltrue([for endpoint in local.endpoint_of : endpoint != ""])
    error_message = "${var.tasks_file}: a database has no letter or digit to name its endpoint by. Way out: name it in targetEndpoints."
  }
}

output "target_endpoints" {
  description = "Target endpoints by id, with the database each writes to."
  value       = { for database, endpoint in local.endpoint_of : endpoint => { database = database } }

  precondition {
    condition     = length(distinct([for id in values(local.endpoint_of) : lower(id)])) == length(local.endpoint_of)
    error_message = "${var.tasks_file}: two databases share an endpoint. Way out: name one of them in targetEndpoints."
  }
}

output "databases" {
  description = "Databases and their collections, each with the name it had before where there is one: what the create-user-db lambda is told."
  value = [
    for database in keys(local.endpoint_of) : {
      name = database
      collections = values(merge([
        for id, task in local.tasks : {
          for name, entries in local.collections[id] :
          name => { for key, value in { name = name, renamedFrom = entries[0].renamed_from } : key => value if value != null }
        } if task.database == database
      ]...))
    }
  ]
}
