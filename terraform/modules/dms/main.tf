locals {
  # User and password of the writing user. Marked sensitive by the provider, and so is what is made of them.
  target_secret = jsondecode(data.aws_secretsmanager_secret_version.target.secret_string)

  replication_instance_arn = var.replication_instance_arn != null ? var.replication_instance_arn : aws_dms_replication_instance.this[0].replication_instance_arn
  target_certificate_arn   = var.target.certificate_pem != null ? aws_dms_certificate.target[0].certificate_arn : var.target.certificate_arn
}

data "aws_secretsmanager_secret_version" "target" {
  secret_id = var.target.secret_id

  lifecycle {
    postcondition {
      condition     = can(jsondecode(self.secret_string).username) && can(jsondecode(self.secret_string).password)
      error_message = "The secret ${var.target.secret_id} must be an object with the keys username and password. Way out: roundtrip preflight names what is missing."
    }
  }
}

resource "aws_dms_endpoint" "source" {
  endpoint_id                     = var.source_endpoint.endpoint_id
  endpoint_type                   = "source"
  engine_name                     = "mongodb"
  database_name                   = var.source_endpoint.database_name
  secrets_manager_arn             = var.source_endpoint.secret_arn
  secrets_manager_access_role_arn = var.source_endpoint.secret_access_role_arn
  server_name                     = try(var.source_endpoint.imported_login.server_name, null)
  port                            = try(var.source_endpoint.imported_login.port, null)
  username                        = try(var.source_endpoint.imported_login.username, null)
  ssl_mode                        = var.source_endpoint.ssl_mode
  certificate_arn                 = var.source_endpoint.certificate_arn
  extra_connection_attributes     = var.source_endpoint.extra_connection_attributes
  kms_key_arn                     = var.endpoint_kms_key_arn
  tags                            = var.tags

  mongodb_settings {
    auth_type      = "password"
    auth_mechanism = var.source_endpoint.auth_mechanism
    auth_source    = var.source_endpoint.auth_source
    # Whole documents, with `_id` as DMS needs it for changes: a DocumentDB target takes nothing else.
    nesting_level  = "none"
    extract_doc_id = var.source_endpoint.extract_doc_id
  }
}

resource "aws_dms_certificate" "target" {
  count = var.target.certificate_pem == null ? 0 : 1

  certificate_id  = "${var.source_endpoint.endpoint_id}-target"
  certificate_pem = var.target.certificate_pem
  tags            = var.tags
}

resource "aws_dms_endpoint" "target" {
  for_each = var.target_endpoints

  endpoint_id   = each.key
  endpoint_type = "target"
  engine_name   = "docdb"
  database_name = each.value.database
  server_name   = var.target.server_name
  port          = var.target.port
  username      = local.target_secret.username
  # An import can't show the password DMS has, and DMS takes no change of an endpoint while its tasks run.
  password        = each.value.imported_username == local.target_secret.username ? null : local.target_secret.password
  ssl_mode        = var.target.ssl_mode
  certificate_arn = local.target_certificate_arn
  kms_key_arn     = var.endpoint_kms_key_arn
  tags            = var.tags
}

resource "aws_dms_replication_subnet_group" "this" {
  count = var.replication_instance == null ? 0 : 1

  replication_subnet_group_id          = var.replication_instance.subnet_group_id
  replication_subnet_group_description = var.replication_instance.subnet_group_description
  subnet_ids                           = var.replication_instance.subnet_ids
  tags                                 = var.tags
}

resource "aws_dms_replication_instance" "this" {
  count = var.replication_instance == null ? 0 : 1

  replication_instance_id      = var.replication_instance.id
  replication_instance_class   = var.replication_instance.class
  allocated_storage            = var.replication_instance.allocated_storage_gigabytes
  engine_version               = var.replication_instance.engine_version
  multi_az                     = var.replication_instance.multi_az
  availability_zone            = var.replication_instance.availability_zone
  auto_minor_version_upgrade   = var.replication_instance.auto_minor_version_upgrade
  allow_major_version_upgrade  = var.replication_instance.allow_major_version_upgrade
  apply_immediately            = var.replication_instance.apply_immediately
  preferred_maintenance_window = var.replication_instance.preferred_maintenance_window
  kms_key_arn                  = var.replication_instance.kms_key_arn
  vpc_security_group_ids       = var.replication_instance.security_group_ids
  replication_subnet_group_id  = aws_dms_replication_subnet_group.this[0].id
  # Databases are reached inside the VPC only.
  publicly_accessible = false
  tags                = var.tags
}

# Never started or stopped from here: a task that ends by itself, or is stopped for a reason, must not make Terraform fail
# ("unexpected state 'stopped', wanted target 'running'"). `roundtrip apply` and the runbooks start, stop and resume.
resource "aws_dms_replication_task" "this" {
  for_each = var.tasks

  replication_task_id       = each.key
  migration_type            = "full-load-and-cdc"
  replication_instance_arn  = local.replication_instance_arn
  source_endpoint_arn       = aws_dms_endpoint.source.endpoint_arn
  target_endpoint_arn       = aws_dms_endpoint.target[each.value.endpoint_id].endpoint_arn
  table_mappings            = each.value.table_mappings
  replication_task_settings = each.value.replication_task_settings
  tags                      = var.tags
}
