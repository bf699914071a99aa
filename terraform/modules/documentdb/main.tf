locals {
  family = "docdb${join(".", slice(split(".", var.engine_version), 0, 2))}"
}

# Read for one run: the password is in neither plan nor state. Without a condition on it: Terraform 1.11 crashes in `show -json`
# of a plan that has one on an ephemeral resource. `roundtrip preflight` looks at the secret's keys.
ephemeral "aws_secretsmanager_secret_version" "master" {
  secret_id = var.master.secret_id
}

resource "aws_docdb_subnet_group" "this" {
  name        = var.subnet_group_name
  description = "Where ${var.cluster_identifier} stands"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

resource "aws_docdb_cluster_parameter_group" "this" {
  name        = var.parameter_group_name
  family      = local.family
  description = "TLS, change streams and audit of ${var.cluster_identifier}"
  tags        = var.tags

  parameter {
    name         = "tls"
    value        = var.tls
    apply_method = "pending-reboot"
  }
  parameter {
    name         = "change_stream_log_retention_duration"
    value        = tostring(var.change_stream_retention_seconds)
    apply_method = "immediate"
  }
  # Who logged in and who changed users or collections goes to CloudWatch: evidence that nobody wrote past a fence.
  parameter {
    name         = "audit_logs"
    value        = "enabled"
    apply_method = "immediate"
  }

  # A major version has a family, and so a group, of its own: the cluster takes the new one before the old one can go.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_docdb_cluster" "this" {
  #checkov:skip=CKV_AWS_360:it can't compare a variable; 7 days is its default here and in the stack, and each environment sees its own
  cluster_identifier              = var.cluster_identifier
  engine                          = "docdb"
  engine_version                  = var.engine_version
  allow_major_version_upgrade     = var.allow_major_version_upgrade
  master_username                 = var.master.username
  master_password_wo              = jsondecode(ephemeral.aws_secretsmanager_secret_version.master.secret_string).password
  master_password_wo_version      = var.master.password_version
  port                            = var.port
  db_subnet_group_name            = aws_docdb_subnet_group.this.name
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this.name
  availability_zones              = var.availability_zones
  vpc_security_group_ids          = var.security_group_ids
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  backup_retention_period         = var.backup_retention_days
  preferred_backup_window         = var.backup_window
  preferred_maintenance_window    = var.maintenance_window
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = var.skip_final_snapshot
  final_snapshot_identifier       = var.skip_final_snapshot ? null : "${var.cluster_identifier}-final"
  apply_immediately               = var.apply_immediately
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
  tags                            = var.tags
}

resource "aws_docdb_cluster_instance" "this" {
  count = var.instance_count

  identifier                   = "${var.cluster_identifier}-${count.index + 1}"
  cluster_identifier           = aws_docdb_cluster.this.id
  instance_class               = var.instance_class
  preferred_maintenance_window = var.maintenance_window
  apply_immediately            = var.apply_immediately
  tags                         = var.tags
}
