# What Terraform makes of tasks.yaml: to be looked at with `terraform plan`; it makes nothing and asks nobody.
module "task_config" {
  source = "../../modules/task-config"

  tasks_file  = "${path.module}/../../../tasks.yaml"
  environment = "dev"
}

output "mappings" {
  description = "Table mappings of each task, as DMS gets them."
  value       = { for id, task in module.task_config.tasks : id => task.mappings }
}
