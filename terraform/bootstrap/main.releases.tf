# Where workflow `release` puts what hosts install: one bucket for all accounts that are let read it, best in prod's.
module "releases" {
  source = "../modules/s3"
  count  = var.releases_bucket_name == null ? 0 : 1

  name        = var.releases_bucket_name
  environment = "prod"
  kms_key_arn = var.kms_key_arn
}

module "releases_role" {
  source = "../modules/iam"

  roles = var.github == null || var.releases_bucket_name == null ? {} : {
    releases = {
      name        = "${local.prefix}-releases"
      policy_name = "${local.prefix}-releases"
      description = "Workflow release puts what hosts install"
      github = {
        provider_arn = local.github_provider_arn
        subjects     = ["${var.github.repository}:environment:release"]
      }
      statements = concat(
        [
          {
            sid       = "Put"
            why       = "scripts/release.ts: what is there is compared, never replaced"
            actions   = ["s3:GetObject", "s3:PutObject"]
            resources = ["${module.releases[0].arn}/*"]
          },
          {
            sid       = "TellMissingFromDenied"
            why       = "adapters/aws/object-store.ts: without it S3 answers denied for an object that isn't there"
            actions   = ["s3:ListBucket"]
            resources = [module.releases[0].arn]
          },
        ],
        var.kms_key_arn == null ? [] : [{
          sid       = "UseKey"
          why       = "scripts/release.ts: objects encrypted with the account's own key"
          actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
          resources = [var.kms_key_arn]
        }],
      )
    }
  }
}

output "releases_role_arn" {
  description = "ARN of the role workflow `release` takes; null without `github` or `releases_bucket_name`."
  value       = one(values(module.releases_role.role_arns))
}
