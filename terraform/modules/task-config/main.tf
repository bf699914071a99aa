# tasks.yaml as one environment has it. Equal to core/tasks/{mappings,task-settings,effective,names}.ts, which plan and
# validate by the same rules; a test evaluates both on generated files and compares.
locals {
  text     = file(var.tasks_file)
  file     = yamldecode(local.text)
  declared = local.file.tasks
  defaults = try(local.file.defaults, {})

  # Under the same id twice only the first counts here; the precondition of the output refuses it.
  tasks = { for id, group in { for task in local.declared : task.id => task... } : id => group[0] }

  # DMS's own, then the defaults, the task, the environment; a key of settings replaces the whole key.
  settings = {
    for id, task in local.tasks : id => merge(
      try(local.defaults.settings, {}),
      try(task.settings, {}),
      try(task.environments[var.environment].settings, {}),
    )
  }

  collections = {
    for id, task in local.tasks : id => {
      for entry in task.collections : try(entry.name, entry) => {
        load_order   = try(entry.loadOrder, null)
        renamed_from = try(entry.renamedFrom, null)
        # A collection's own number of partitions, or else the task's; boundaries come before both.
        partitions = try(entry.parallelLoad.partitions, local.settings[id].parallelLoad.partitions, 1)
        boundaries = try(entry.parallelLoad.boundaries, [])
      }...
    }
  }

  # The endpoint a database is written through: the declared one, or one named after it.
  declared_endpoints = try(local.file.targetEndpoints, {})
  endpoint_words = {
    for database in distinct([for task in local.tasks : task.database]) :
    database => lower(replace(replace(database, "/[^A-Za-z0-9]+/", "-"), "/^-|-$/", ""))
  }
  endpoint_of = {
    for database, words in local.endpoint_words :
    database => lookup(local.declared_endpoints, database, words == "" ? "" : substr("documentdb-${words}", 0, 255))
  }
}
