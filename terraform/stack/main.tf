locals {
  prefix = "roundtrip-${var.environment}"

  cluster_identifier = coalesce(var.docdb_cluster_replication.cluster_identifier, local.prefix)
  port               = var.docdb_cluster_replication.port
  has_tls            = var.docdb_cluster_replication.tls != "disabled"
}

# `terraform destroy` of prod ends while it is planned: what protects the cluster would only be met when tasks and roles are gone.
resource "terraform_data" "prod_stays" {
  count = var.environment == "prod" ? 1 : 0

  lifecycle {
    prevent_destroy = true
  }
}

module "task_config" {
  source = "../modules/task-config"

  tasks_file  = var.tasks_file
  environment = var.environment
}

module "bucket" {
  source = "../modules/s3"

  name          = var.s3_bucket_name
  environment   = var.environment
  kms_key_arn   = var.kms_key_arn
  force_destroy = var.environment != "prod"
}

module "secrets" {
  source = "../modules/secrets"

  replication_secret_name = coalesce(var.dms_secret_user_replication_name, "roundtrip/${var.environment}/replication")
  replication_username    = var.dms_user_replication_username
  kms_key_arn             = var.kms_key_arn
  # A deleted secret keeps its name for the window. dev is destroyed and made again the same day, and its password is worth nothing.
  recovery_window_days = { dev = 0, qa = 7, prod = 30 }[var.environment]
}

module "documentdb" {
  source = "../modules/documentdb"

  cluster_identifier              = local.cluster_identifier
  environment                     = var.environment
  engine_version                  = var.docdb_cluster_replication.engine_version
  allow_major_version_upgrade     = var.docdb_cluster_replication.allow_major_version_upgrade
  master                          = { username = var.docdb_master_username, secret_id = var.docdb_master_user_secret_name }
  instance_class                  = var.docdb_cluster_instance_class
  instance_count                  = var.docdb_cluster_instance_count
  subnet_group_name               = coalesce(var.docdb_subnet_group_name, local.prefix)
  parameter_group_name            = coalesce(var.docdb_cluster_parameter_group_name, local.prefix)
  subnet_ids                      = var.docdb_subnet_ids
  availability_zones              = var.docdb_cluster_replication.availability_zones
  security_group_ids              = [module.security_groups.ids["documentdb"]]
  kms_key_arn                     = var.kms_key_arn
  port                            = local.port
  backup_window                   = var.docdb_cluster_replication.preferred_backup_window
  backup_retention_days           = var.docdb_cluster_replication.backup_retention_period
  maintenance_window              = var.docdb_cluster_replication.preferred_maintenance_window
  deletion_protection             = var.docdb_cluster_replication.deletion_protection
  skip_final_snapshot             = var.docdb_cluster_replication.skip_final_snapshot
  apply_immediately               = var.docdb_cluster_replication.apply_immediately
  tls                             = var.docdb_cluster_replication.tls
  change_stream_retention_seconds = var.docdb_cluster_replication.change_stream_retention
}

module "create_user_db" {
  source = "../modules/lambda"

  function_name      = coalesce(var.lambda_create_user_db_function_name, "${local.prefix}-create-user-db")
  environment        = var.environment
  package_file       = var.lambda_create_user_db_package
  role_arn           = module.iam.role_arns["create_user_db"]
  subnet_ids         = var.lambda_subnet_ids
  security_group_ids = [module.security_groups.ids["lambda"]]
  bucket             = module.bucket.name
  master_secret      = var.docdb_master_user_secret_name
  replication_secret = module.secrets.replication_secret_name
  documentdb         = { host = module.documentdb.endpoint, port = local.port }
}

module "dms" {
  source = "../modules/dms"

  source_endpoint = merge(var.dms_endpoint_mongodb, {
    endpoint_id            = coalesce(var.dms_endpoint_mongodb.endpoint_id, "${local.prefix}-mongodb")
    secret_arn             = data.aws_secretsmanager_secret.this["mongodb_dms"].arn
    secret_access_role_arn = module.iam.role_arns["dms_secrets"]
  })
  target = {
    server_name     = module.documentdb.endpoint
    port            = local.port
    secret_id       = module.secrets.replication_secret_name
    ssl_mode        = local.has_tls ? "verify-full" : "none"
    certificate_pem = local.has_tls ? file(var.docdb_ca_bundle_file) : null
  }
  target_endpoints     = module.task_config.target_endpoints
  tasks                = module.task_config.tasks
  endpoint_kms_key_arn = var.kms_key_arn
  replication_instance = {
    id                           = coalesce(var.dms_ri_mongodb_docdb.replication_instance_id, local.prefix)
    class                        = var.dms_ri_mongodb_docdb.replication_instance_class
    allocated_storage_gigabytes  = var.dms_ri_mongodb_docdb.allocated_storage
    engine_version               = var.dms_ri_mongodb_docdb.engine_version
    multi_az                     = var.dms_ri_mongodb_docdb.multi_az
    availability_zone            = var.dms_ri_mongodb_docdb.availability_zone
    auto_minor_version_upgrade   = var.dms_ri_mongodb_docdb.auto_minor_version_upgrade
    allow_major_version_upgrade  = var.dms_ri_mongodb_docdb.allow_major_version_upgrade
    apply_immediately            = var.dms_ri_mongodb_docdb.apply_immediately
    preferred_maintenance_window = var.dms_ri_mongodb_docdb.preferred_maintenance_window
    kms_key_arn                  = var.kms_key_arn
    security_group_ids           = [module.security_groups.ids["dms"]]
    subnet_group_id              = coalesce(var.dms_subnet_group_mongodb_docdb.replication_subnet_group_id, local.prefix)
    subnet_group_description     = var.dms_subnet_group_mongodb_docdb.replication_subnet_group_description
    subnet_ids                   = var.dms_subnet_group_mongodb_docdb.subnet_ids
  }
}

module "ssm_documents" {
  source = "../modules/ssm-documents"

  directory = "${path.module}/../../runbooks/documents"
  prefix    = local.prefix
}
