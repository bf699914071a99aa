# Table mappings: one `explicit` selection rule a collection, because under `include` a `_` or `%` in a name would match
# others. Rule ids come from names, so that adding a collection changes no other rule.
locals {
  rule_ids = {
    for id, task in local.tasks : id => {
      for pair in setproduct(["selection", "table-settings"], keys(local.collections[id])) :
      "${pair[0]} ${pair[1]}" => tostring(
        parseint(substr(sha256("${pair[0]} ${task.database}.${pair[1]}"), 0, 12), 16) % 1000000000 + 1
      )
    }
  }

  parallel_loads = {
    for id, collections in local.collections : id => {
      for name, entries in collections : name => jsonencode(
        length(entries[0].boundaries) > 0
        ? { type = "ranges", columns = ["_id"], boundaries = [for boundary in entries[0].boundaries : [boundary]], number-of-partitions = null }
        : { type = "partitions-auto", columns = null, boundaries = null, number-of-partitions = entries[0].partitions }
      ) if length(entries[0].boundaries) > 0 || entries[0].partitions > 1
    }
  }

  mappings = {
    for id, task in local.tasks : id => {
      rules = concat(
        [
          for name in keys(local.collections[id]) : {
            for key, value in {
              rule-type      = "selection"
              rule-id        = local.rule_ids[id]["selection ${name}"]
              rule-name      = local.rule_ids[id]["selection ${name}"]
              object-locator = { schema-name = task.database, table-name = name }
              rule-action    = "explicit"
              load-order     = try(tostring(local.collections[id][name][0].load_order), null)
            } : key => value if value != null
          }
        ],
        [
          for name, load in local.parallel_loads[id] : {
            rule-type      = "table-settings"
            rule-id        = local.rule_ids[id]["table-settings ${name}"]
            rule-name      = local.rule_ids[id]["table-settings ${name}"]
            object-locator = { schema-name = task.database, table-name = name }
            parallel-load  = { for key, value in jsondecode(load) : key => value if value != null }
          }
        ],
      )
    }
  }

  # Every id a task's rules use; twice the same would make DMS refuse the task.
  used_rule_ids = { for id, mapping in local.mappings : id => mapping.rules[*]["rule-id"] }
}
