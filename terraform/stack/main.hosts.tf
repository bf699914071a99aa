data "aws_ami" "amazon_linux" {
  count = var.ec2_ami == null ? 1 : 0

  owners      = ["amazon"]
  most_recent = true

  filter {
    name   = "name"
    values = ["al2023-ami-2023.*-x86_64"]
  }
}

locals {
  ami = var.ec2_ami == null ? data.aws_ami.amazon_linux[0].id : var.ec2_ami

  # By role: *failback* is on only in an outage, *operations* always.
  hosts = {
    failback = {
      name             = coalesce(var.ec2_name, "${local.prefix}-failback")
      instance_type    = var.ec2_instance_type
      subnet_id        = var.ec2_subnet_id
      volume_gigabytes = var.ec2_volume_size
    }
    operations = {
      name             = coalesce(var.operations_name, "${local.prefix}-operations")
      instance_type    = var.operations_instance_type
      subnet_id        = coalesce(var.operations_subnet_id, var.ec2_subnet_id)
      volume_gigabytes = var.operations_volume_size
    }
  }
}

locals {
  units = "${path.module}/../../services/units"

  installation = var.host_release == null ? null : {
    region                = var.region
    bucket                = var.host_release.bucket
    environment_parameter = local.environment_parameter
    log_group             = aws_cloudwatch_log_group.hosts.name
    metrics_namespace     = local.metrics_namespace
    units                 = { for name in fileset(local.units, "*.{service,timer}") : name => file("${local.units}/${name}") }
    artifacts             = { for name, artifact in var.host_release : name => artifact if name != "bucket" }
  }

  environment_parameter = "/roundtrip/${var.environment}/environment"
  metrics_namespace     = "Roundtrip"
  release_arns = var.host_release == null ? [] : [
    for artifact in values(local.installation.artifacts) : "${local.arns}:s3:::${var.host_release.bucket}/${artifact.key}" if artifact != null
  ]
}

module "hosts" {
  source   = "../modules/ec2"
  for_each = local.hosts

  name               = each.value.name
  role               = each.key
  ami                = local.ami
  instance_type      = each.value.instance_type
  subnet_id          = each.value.subnet_id
  security_group_ids = [module.security_groups.ids["ec2"]]
  instance_profile   = module.iam.instance_profiles["${each.key}_host"]
  volume_gigabytes   = each.value.volume_gigabytes
  kms_key_arn        = var.kms_key_arn
  # What runs by the clock, and the archive of the oplog, run on the host that is always on.
  installation = local.installation == null ? null : merge(local.installation, {
    enabled_units = [for name in keys(local.installation.units) : name if each.key == "operations" && (endswith(name, ".timer") || name == "oplog-archive.service")]
  })
}

# Where the hosts' own logs go; the services' stand in the hosts' journals (roundtrip logs).
resource "aws_cloudwatch_log_group" "hosts" {
  #checkov:skip=CKV_AWS_158:what the hosts say of themselves, no document and no secret; a key of one's own would need a policy for CloudWatch, which its owner writes
  name              = "/roundtrip/${var.environment}/hosts"
  retention_in_days = 365
}

# Until there was an operations host, the only one had an address of its own.
moved {
  from = module.failback_host
  to   = module.hosts["failback"]
}
