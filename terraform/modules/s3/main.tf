resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:who reads or writes is seen by CloudTrail's data events, which need no second bucket
  #checkov:skip=CKV_AWS_144:a failback replays to the region it captured in; its verdict and backups are what is copied elsewhere
  #checkov:skip=CKV2_AWS_62:whose changes are told is said where Slack is told (modules/notify); programs list and read what they need
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

# Manifests are committed by conditional writes; a version that was overwritten or deleted by mistake can be had again.
resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# The log of a failback, its journals and verdicts have no rule: `clean` archives them, nothing expires by itself.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {
      prefix = ""
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_retention_days
    }
  }

  # By tags, which the services write: dumps lie beside the log of their failback, so that no prefix tells them apart
  # (core/failback/layout.ts, core/backup/layout.ts).
  # Backups are made daily, and large: one that was deleted by mistake can be had again for a week. Of the oplog's archive hours are
  # wanted, and a lifecycle counts days.
  dynamic "rule" {
    for_each = {
      dumps   = { tag = "dump", days = var.dump_retention_days, old_versions_days = var.noncurrent_retention_days }
      backups = { tag = "backup", days = var.backup_retention_days, old_versions_days = 7 }
      oplog   = { tag = "oplog", days = var.oplog_retention_days, old_versions_days = 1 }
    }
    content {
      id     = "expire-${rule.key}"
      status = "Enabled"

      filter {
        tag {
          key   = "retention"
          value = rule.value.tag
        }
      }
      expiration {
        days = rule.value.days
      }
      noncurrent_version_expiration {
        noncurrent_days = rule.value.old_versions_days
      }
    }
  }

  dynamic "rule" {
    for_each = {
      inspections = { prefix = "operations/inspections/", days = var.answer_retention_days }
      preflights  = { prefix = "operations/preflights/", days = var.answer_retention_days }
      # That an alarm was told: S3 and SNS repeat themselves within hours.
      notices = { prefix = "notices/alarms/", days = 90 }
      # Who started Terraform: `roundtrip unlock` lays a lock that was left behind to its run, and some are found late.
      terraform = { prefix = "operations/terraform/", days = 90 }
    }
    content {
      id     = "expire-${rule.key}"
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }
      expiration {
        days = rule.value.days
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.tls_only.json

  # S3 refuses a policy it takes for public while the block is being set.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
