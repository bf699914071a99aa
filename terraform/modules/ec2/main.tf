resource "aws_instance" "this" {
  #checkov:skip=CKV_AWS_126:the worker publishes its own status; five minutes are enough for disk and processor
  #checkov:skip=CKV_AWS_135:T3 and later always are; saying so would make a host anew that was made without
  ami                    = var.ami
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = var.security_group_ids
  iam_instance_profile   = var.instance_profile
  user_data_base64       = local.user_data
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
  # user data is for the next machine; the worker is upgraded in place.
  lifecycle {
    ignore_changes = [ami, disable_api_stop, user_data, user_data_base64]

    # EC2 takes 16 KB before they are written as base64.
    precondition {
      condition     = local.user_data == null ? true : length(local.user_data) <= 21848
      error_message = "the user data must be 16 KB at most, packed: give fewer units."
    }
  }
}
