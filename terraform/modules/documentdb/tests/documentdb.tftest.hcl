# Against the stand-in: what it is told about the password, and what the state has of it.
provider "aws" {
  region = "us-east-1"
}

run "the_master_secret_is_there" {
  module {
    source = "./tests/master"
  }
}

run "made_with_a_password_no_state_holds" {
  variables {
    cluster_identifier   = "tests-documentdb"
    environment          = "dev"
    master               = { username = "administrator", secret_id = run.the_master_secret_is_there.id }
    instance_class       = "db.t3.medium"
    instance_count       = 2
    subnet_group_name    = "tests-documentdb"
    parameter_group_name = "tests-documentdb"
    subnet_ids           = ["subnet-1", "subnet-2"]
    security_group_ids   = ["sg-1"]
    deletion_protection  = false
    skip_final_snapshot  = true
  }

  assert {
    condition     = aws_docdb_cluster.this.master_password == null && aws_docdb_cluster.this.storage_encrypted
    error_message = "encrypted, and no password in the state"
  }
  assert {
    condition     = length(aws_docdb_cluster_instance.this) == 2
    error_message = "two instances"
  }
  assert {
    condition     = aws_docdb_cluster_parameter_group.this.family == "docdb5.0"
    error_message = "the family of the version"
  }
}

run "a_major_version_up_in_place" {
  variables {
    cluster_identifier          = "tests-documentdb"
    environment                 = "dev"
    engine_version              = "8.0.0"
    allow_major_version_upgrade = true
    master                      = { username = "administrator", secret_id = run.the_master_secret_is_there.id }
    instance_class              = "db.t3.medium"
    instance_count              = 2
    subnet_group_name           = "tests-documentdb"
    parameter_group_name        = "tests-documentdb-8"
    subnet_ids                  = ["subnet-1", "subnet-2"]
    security_group_ids          = ["sg-1"]
    deletion_protection         = false
    skip_final_snapshot         = true
  }

  assert {
    condition     = aws_docdb_cluster.this.engine_version == "8.0.0" && aws_docdb_cluster.this.db_cluster_parameter_group_name == "tests-documentdb-8"
    error_message = "the version and its own parameter group"
  }
  assert {
    condition     = aws_docdb_cluster.this.cluster_resource_id == run.made_with_a_password_no_state_holds.cluster_resource_id
    error_message = "the same cluster: an upgrade that replaces it would lose its data"
  }
}
