mock_provider "aws" {
  override_data {
    target = data.aws_secretsmanager_secret_version.target
    values = { secret_string = "{\"username\":\"writer\",\"password\":\"mocked-password\"}" }
  }
}

variables {
  source_endpoint = {
    endpoint_id            = "mongodb"
    secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
    secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
  }
  target = {
    server_name     = "documentdb.test"
    secret_id       = "roundtrip/dev/replication"
    certificate_pem = "-----BEGIN CERTIFICATE-----"
  }
  target_endpoints = { documentdb-shop = { database = "shop" } }
  replication_instance = {
    id              = "roundtrip-dev"
    class           = "dms.t3.medium"
    subnet_group_id = "roundtrip-dev"
    subnet_ids      = ["subnet-1", "subnet-2"]
  }
  tasks = {
    shop = {
      endpoint_id               = "documentdb-shop"
      table_mappings            = "{\"rules\":[]}"
      replication_task_settings = "{}"
    }
  }
}

run "tasks_are_never_started_by_terraform" {
  command = plan

  assert {
    condition     = aws_dms_replication_task.this["shop"].start_replication_task != true
    error_message = "starting is apply's and the runbooks'"
  }
  assert {
    condition     = aws_dms_replication_task.this["shop"].migration_type == "full-load-and-cdc"
    error_message = "a failback needs the changes that follow"
  }
}

run "the_source_is_read_by_its_secret" {
  command = plan

  assert {
    condition     = aws_dms_endpoint.source.password == null && aws_dms_endpoint.source.secrets_manager_arn == var.source_endpoint.secret_arn
    error_message = "no password of MongoDB in the state"
  }
  assert {
    condition     = aws_dms_endpoint.source.mongodb_settings[0].extract_doc_id == "true" && aws_dms_endpoint.source.mongodb_settings[0].nesting_level == "none"
    error_message = "whole documents with their _id"
  }
}

run "an_imported_source_keeps_the_login_dms_has" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id    = "mongodb"
      imported_login = { server_name = "mongodb.test", port = 27017, username = "reader" }
    }
  }

  assert {
    condition     = aws_dms_endpoint.source.username == "reader" && aws_dms_endpoint.source.server_name == "mongodb.test" && aws_dms_endpoint.source.password == null
    error_message = "its login as it is, and no password"
  }
}

run "an_imported_target_keeps_the_password_dms_has" {
  command = plan
  variables {
    target_endpoints = {
      documentdb-shop = { database = "shop", imported_username = "writer" }
      documentdb-new  = { database = "new" }
      documentdb-old  = { database = "old", imported_username = "writer-before" }
    }
  }

  assert {
    condition     = aws_dms_endpoint.target["documentdb-shop"].password == null
    error_message = "an import can't show the password, so it isn't changed"
  }
  assert {
    condition     = aws_dms_endpoint.target["documentdb-new"].password == "mocked-password" && aws_dms_endpoint.target["documentdb-old"].password == "mocked-password"
    error_message = "a new endpoint and a new user need the password of the secret"
  }
}

run "the_replication_instance_is_private" {
  command = plan

  assert {
    condition     = aws_dms_replication_instance.this[0].publicly_accessible == false
    error_message = "databases are reached inside the VPC only"
  }
}

run "an_existing_instance_is_used" {
  command = plan
  variables {
    replication_instance     = null
    replication_instance_arn = "arn:aws:dms:us-east-1:123456789012:rep:ABCDEF"
  }

  assert {
    condition     = length(aws_dms_replication_instance.this) == 0 && aws_dms_replication_task.this["shop"].replication_instance_arn == var.replication_instance_arn
    error_message = "no instance of its own"
  }
}

run "a_source_id_with_two_hyphens" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "a--b"
      secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
      secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "a_source_without_login" {
  command = plan
  variables {
    source_endpoint = { endpoint_id = "mongodb" }
  }
  expect_failures = [var.source_endpoint]
}

run "a_document_id_that_is_neither" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "mongodb"
      secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
      secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
      extract_doc_id         = "yes"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "a_secret_that_is_no_arn" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "mongodb"
      secret_arn             = "mongodb"
      secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "a_role_that_is_no_arn" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "mongodb"
      secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
      secret_access_role_arn = "dms-secrets"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "a_mechanism_dms_has_not" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "mongodb"
      secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
      secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
      auth_mechanism         = "scram-sha-256"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "an_ssl_mode_mongodb_has_not" {
  command = plan
  variables {
    source_endpoint = {
      endpoint_id            = "mongodb"
      secret_arn             = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongodb-AbCdEf"
      secret_access_role_arn = "arn:aws:iam::123456789012:role/dms-secrets"
      ssl_mode               = "verify-ca"
    }
  }
  expect_failures = [var.source_endpoint]
}

run "a_port_there_is_not" {
  command = plan
  variables {
    target = {
      server_name     = "documentdb.test"
      secret_id       = "roundtrip/dev/replication"
      certificate_pem = "-----BEGIN CERTIFICATE-----"
      port            = 70000
    }
  }
  expect_failures = [var.target]
}

run "an_ssl_mode_documentdb_has_not" {
  command = plan
  variables {
    target = {
      server_name     = "documentdb.test"
      secret_id       = "roundtrip/dev/replication"
      certificate_pem = "-----BEGIN CERTIFICATE-----"
      ssl_mode        = "require"
    }
  }
  expect_failures = [var.target]
}

run "verify_full_without_certificate" {
  command = plan
  variables {
    target = {
      server_name = "documentdb.test"
      secret_id   = "roundtrip/dev/replication"
    }
  }
  expect_failures = [var.target]
}

run "a_certificate_for_no_tls" {
  command = plan
  variables {
    target = {
      server_name     = "documentdb.test"
      secret_id       = "roundtrip/dev/replication"
      certificate_pem = "-----BEGIN CERTIFICATE-----"
      ssl_mode        = "none"
    }
  }
  expect_failures = [var.target]
}

run "two_certificates" {
  command = plan
  variables {
    target = {
      server_name     = "documentdb.test"
      secret_id       = "roundtrip/dev/replication"
      certificate_pem = "-----BEGIN CERTIFICATE-----"
      certificate_arn = "arn:aws:dms:us-east-1:123456789012:cert:ABC"
    }
  }
  expect_failures = [var.target]
}

run "a_target_id_with_an_underscore" {
  command = plan
  variables {
    target_endpoints = { documentdb_shop = { database = "shop" }, documentdb-shop = { database = "shop" } }
  }
  expect_failures = [var.target_endpoints]
}

run "an_endpoint_without_database" {
  command = plan
  variables {
    target_endpoints = { documentdb-shop = { database = "" } }
  }
  expect_failures = [var.target_endpoints]
}

run "an_instance_arn_that_is_none" {
  command = plan
  variables {
    replication_instance     = null
    replication_instance_arn = "roundtrip-dev"
  }
  expect_failures = [var.replication_instance_arn]
}

run "neither_instance_nor_arn" {
  command = plan
  variables {
    replication_instance = null
  }
  expect_failures = [var.replication_instance_arn]
}

run "both_instance_and_arn" {
  command = plan
  variables {
    replication_instance_arn = "arn:aws:dms:us-east-1:123456789012:rep:ABCDEF"
  }
  expect_failures = [var.replication_instance_arn]
}

run "an_instance_id_that_is_too_long" {
  command = plan
  variables {
    replication_instance = {
      id              = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      class           = "dms.t3.medium"
      subnet_group_id = "roundtrip-dev"
      subnet_ids      = ["subnet-1", "subnet-2"]
    }
  }
  expect_failures = [var.replication_instance]
}

run "a_class_of_another_service" {
  command = plan
  variables {
    replication_instance = {
      id              = "roundtrip-dev"
      class           = "db.t3.medium"
      subnet_group_id = "roundtrip-dev"
      subnet_ids      = ["subnet-1", "subnet-2"]
    }
  }
  expect_failures = [var.replication_instance]
}

run "storage_of_four_gigabytes" {
  command = plan
  variables {
    replication_instance = {
      id                          = "roundtrip-dev"
      class                       = "dms.t3.medium"
      subnet_group_id             = "roundtrip-dev"
      subnet_ids                  = ["subnet-1", "subnet-2"]
      allocated_storage_gigabytes = 4
    }
  }
  expect_failures = [var.replication_instance]
}

run "an_engine_past_its_end_of_life" {
  command = plan
  variables {
    replication_instance = {
      id              = "roundtrip-dev"
      class           = "dms.t3.medium"
      subnet_group_id = "roundtrip-dev"
      subnet_ids      = ["subnet-1", "subnet-2"]
      engine_version  = "3.5.2"
    }
  }
  expect_failures = [var.replication_instance]
}

run "a_zone_with_multi_az" {
  command = plan
  variables {
    replication_instance = {
      id                = "roundtrip-dev"
      class             = "dms.t3.medium"
      subnet_group_id   = "roundtrip-dev"
      subnet_ids        = ["subnet-1", "subnet-2"]
      multi_az          = true
      availability_zone = "us-east-1a"
    }
  }
  expect_failures = [var.replication_instance]
}

run "a_window_nobody_reads" {
  command = plan
  variables {
    replication_instance = {
      id                           = "roundtrip-dev"
      class                        = "dms.t3.medium"
      subnet_group_id              = "roundtrip-dev"
      subnet_ids                   = ["subnet-1", "subnet-2"]
      preferred_maintenance_window = "sunday 4 to 5"
    }
  }
  expect_failures = [var.replication_instance]
}

run "one_subnet" {
  command = plan
  variables {
    replication_instance = {
      id              = "roundtrip-dev"
      class           = "dms.t3.medium"
      subnet_group_id = "roundtrip-dev"
      subnet_ids      = ["subnet-1", "subnet-1"]
    }
  }
  expect_failures = [var.replication_instance]
}

run "the_default_subnet_group" {
  command = plan
  variables {
    replication_instance = {
      id              = "roundtrip-dev"
      class           = "dms.t3.medium"
      subnet_group_id = "default"
      subnet_ids      = ["subnet-1", "subnet-2"]
    }
  }
  expect_failures = [var.replication_instance]
}

run "a_task_id_that_begins_with_a_digit" {
  command = plan
  variables {
    tasks = {
      "1shop" = {
        endpoint_id               = "documentdb-shop"
        table_mappings            = "{\"rules\":[]}"
        replication_task_settings = "{}"
      }
    }
  }
  expect_failures = [var.tasks]
}

run "a_task_of_an_endpoint_there_is_not" {
  command = plan
  variables {
    tasks = {
      shop = {
        endpoint_id               = "documentdb-other"
        table_mappings            = "{\"rules\":[]}"
        replication_task_settings = "{}"
      }
    }
  }
  expect_failures = [var.tasks]
}

run "mappings_without_rules" {
  command = plan
  variables {
    tasks = {
      shop = {
        endpoint_id               = "documentdb-shop"
        table_mappings            = "{}"
        replication_task_settings = "{}"
      }
    }
  }
  expect_failures = [var.tasks]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables {
    endpoint_kms_key_arn = "alias/mine"
  }
  expect_failures = [var.endpoint_kms_key_arn]
}
