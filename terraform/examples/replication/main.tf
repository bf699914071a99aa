# The shortest root that replicates what tasks.yaml says: the two modules, nothing else.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      environment = var.environment
      product     = "roundtrip"
    }
  }
}

module "task_config" {
  source = "../../modules/task-config"

  tasks_file  = var.tasks_file
  environment = var.environment
}

module "dms" {
  source = "../../modules/dms"

  source_endpoint = {
    endpoint_id            = "${var.name}-${var.environment}-mongodb"
    secret_arn             = var.source_secret_arn
    secret_access_role_arn = var.source_secret_access_role_arn
    auth_mechanism         = var.source_auth_mechanism
  }
  target           = var.target
  target_endpoints = module.task_config.target_endpoints
  replication_instance = {
    id                 = "${var.name}-${var.environment}"
    class              = var.replication_instance_class
    subnet_group_id    = "${var.name}-${var.environment}"
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }
  tasks = module.task_config.tasks
}
