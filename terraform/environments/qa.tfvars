# qa: what differs between environments. Names that aren't given here begin with roundtrip-qa.
environment = "qa"
region      = "us-east-1"
vpc_id      = "vpc-0123456789abcdef0"

s3_bucket_name = "roundtrip-qa-example"

docdb_master_user_secret_name = "roundtrip/qa/master"
docdb_master_username         = "administrator"
docdb_secret_name             = "roundtrip/qa/documentdb"
docdb_subnet_ids              = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
docdb_cluster_instance_class  = "db.r6g.large"
docdb_cluster_instance_count  = 2
docdb_ca_bundle_file          = "../../dist/global-bundle.pem"
docdb_cluster_replication = {
  deletion_protection = false
}

mongodb_secret_name     = "roundtrip/qa/mongodb"
mongodb_dms_secret_name = "roundtrip/qa/mongodb-dms"
dms_subnet_group_mongodb_docdb = {
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
}
dms_ri_mongodb_docdb = {
  replication_instance_class = "dms.t3.large"
  multi_az                   = false
}
dms_egress_rules = [
  { from_port = 27017, to_port = 27017, cidr_blocks = ["10.20.0.0/24"] },
  { from_port = 443, to_port = 443, cidr_blocks = ["10.0.0.0/16"] },
]

lambda_subnet_ids    = ["subnet-0123456789abcdef0"]
lambda_egress_rules  = [{ from_port = 443, to_port = 443, cidr_blocks = ["10.0.0.0/16"] }]
ec2_subnet_id        = "subnet-0123456789abcdef0"
operations_subnet_id = "subnet-0fedcba9876543210"

# What hosts install at their first start; put there before the first apply (modules/ec2/README.md).
host_release = {
  bucket           = "roundtrip-releases-example"
  worker           = { key = "1.0.0/roundtrip-worker-linux-x64", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  database_tools   = { key = "database-tools-100.9.5-amazon2023-x86_64.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  ca_bundle        = { key = "global-bundle.pem", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  cloudwatch_agent = { key = "amazon-cloudwatch-agent.rpm", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
}

administrators    = ["administrator", "roundtrip"]
application_users = [{ name = "shop", secret = "roundtrip/qa/shop" }]

# Who is told of alarms.
alarms = {
  subscribers = [{ protocol = "email", endpoint = "on-call@example.com" }]
}

# Slack, told of changes of phase and of alarms (docs/slack.md).
slack = { webhook_secret_name = "roundtrip/qa/slack" }

# A VPC that has endpoints of its own, or a NAT gateway, leaves this out.
vpc_endpoints = {
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  route_table_ids = ["rtb-0123456789abcdef0"]
}

# Whose workflows run roundtrip here: jobs of the GitHub environments look-qa, operations-qa and failback-qa.
github = {
  provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  repository   = "repo:example/shop"
}
