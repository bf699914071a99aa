# The state's bucket, key and region come with `terraform init -backend-config=…` (roundtrip apply does it): one bucket an account,
# one key an environment. S3 locks by itself.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
