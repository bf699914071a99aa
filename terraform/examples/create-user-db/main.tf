# The function that makes users and databases, with the role it runs as, beside a DocumentDB that is there.
provider "aws" {
  region = "us-east-1"
}

data "aws_secretsmanager_secret" "login" {
  for_each = toset(["orders/dev/master", "orders/dev/replication"])
  name     = each.value
}

module "bucket" {
  source = "../../modules/s3"

  name        = "orders-dev-failback-example"
  environment = "dev"
}

module "role" {
  source = "../../modules/iam"

  roles = {
    function = {
      name                = "orders-dev-create-user-db"
      policy_name         = "orders-dev-create-user-db"
      description         = "The create-user-db function"
      service             = "lambda.amazonaws.com"
      managed_policy_arns = ["arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"]
      statements = [
        {
          sid       = "ReadLogins"
          why       = "services/create-user-db: the master's login and the one DMS writes with"
          actions   = ["secretsmanager:GetSecretValue"]
          resources = values(data.aws_secretsmanager_secret.login)[*].arn
        },
        {
          sid       = "ReadPhase"
          why       = "services/create-user-db: whether a failback is open"
          actions   = ["s3:GetObject"]
          resources = ["${module.bucket.arn}/failback/current.json"]
        },
        {
          sid       = "TellMissingFromDenied"
          why       = "services/create-user-db: without it S3 answers denied for an object that isn't there"
          actions   = ["s3:ListBucket"]
          resources = [module.bucket.arn]
        },
      ]
    }
  }
}

module "create_user_db" {
  source = "../../modules/lambda"

  function_name      = "orders-dev-create-user-db"
  environment        = "dev"
  package_file       = "${path.module}/../../../dist/create-user-db.zip"
  role_arn           = module.role.role_arns["function"]
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  bucket             = module.bucket.name
  master_secret      = "orders/dev/master"
  replication_secret = "orders/dev/replication"
  documentdb         = { host = "orders-dev.cluster-0123.us-east-1.docdb.amazonaws.com" }
}

output "function_name" {
  description = "What to invoke."
  value       = module.create_user_db.function_name
}
