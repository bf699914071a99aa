resource "aws_instance" "this" {
  ami                    = var.ami
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = var.security_group_ids
  iam_instance_profile   = var.instance_profile
  user_data              = var.user_data
  tags                   = merge(var.tags, { Name = var.name, role = var.role })

  # Stopping from inside must not end the machine: monitor-clean stops the failback host that way.
  instance_initiated_shutdown_behavior = "stop"

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.volume_gigabytes
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  # Running or stopped, and protected against stopping, is the runbooks' business: a failback protects its host. A newer image or
  # user_data is for the next machine; the worker is upgraded in place.
  lifecycle {
    ignore_changes = [ami, disable_api_stop, user_data]
  }
}
