provider "aws" {
  region = "us-east-1"
}

variables {
  name               = "tests-ec2"
  role               = "failback"
  ami                = "ami-0123456789abcdef0"
  subnet_id          = "subnet-0123"
  security_group_ids = ["sg-0123"]
  instance_profile   = "tests"
  installation = {
    region                = "us-east-1"
    bucket                = "tests-releases"
    environment_parameter = "/roundtrip/dev/environment"
    log_group             = "/roundtrip/dev/hosts"
    units                 = { "backup.service" = "[Service]\nExecStart=/bin/true\n", "backup.timer" = "[Timer]\nOnCalendar=daily\n" }
    enabled_units         = ["backup.timer"]
    artifacts = {
      worker         = { key = "releases/1/roundtrip-worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      database_tools = { key = "releases/1/tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000002" }
    }
  }
}

run "encrypted_and_imdsv2_only" {
  assert {
    condition     = aws_instance.this.metadata_options[0].http_tokens == "required" && aws_instance.this.root_block_device[0].encrypted
    error_message = "no IMDSv1, no clear disk"
  }
  assert {
    condition     = aws_instance.this.key_name == null || aws_instance.this.key_name == ""
    error_message = "no key pair"
  }
}

run "a_newer_image_leaves_the_machine" {
  variables {
    ami          = "ami-0fedcba9876543210"
    installation = null
  }

  assert {
    condition     = output.instance_id == run.encrypted_and_imdsv2_only.instance_id
    error_message = "the same machine"
  }
}

run "a_name_with_a_slash" {
  command = plan
  variables {
    name = "a/b"
  }
  expect_failures = [var.name]
}

run "a_role_that_is_none" {
  command = plan
  variables {
    role = "backup"
  }
  expect_failures = [var.role]
}

run "an_image_by_name" {
  command = plan
  variables {
    ami = "debian"
  }
  expect_failures = [var.ami]
}

run "a_type_that_is_none" {
  command = plan
  variables {
    instance_type = "large"
  }
  expect_failures = [var.instance_type]
}

run "a_subnet_by_name" {
  command = plan
  variables {
    subnet_id = "private"
  }
  expect_failures = [var.subnet_id]
}

run "a_disk_of_a_gigabyte" {
  command = plan
  variables {
    volume_gigabytes = 1
  }
  expect_failures = [var.volume_gigabytes]
}

run "a_key_that_is_an_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}

run "a_checksum_that_is_none" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "backup.service" = "" }, enabled_units = []
      artifacts = { worker = { key = "releases/1/roundtrip-worker", sha256 = "d41d8cd98f00b204e9800998ecf8427e" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "a_key_that_a_shell_would_read" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "backup.service" = "" }, enabled_units = []
      artifacts = { worker = { key = "worker$(reboot)", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "a_bucket_that_is_none" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "Tests Releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "backup.service" = "" }, enabled_units = []
      artifacts = { worker = { key = "releases/1/roundtrip-worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "a_unit_in_another_folder" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "../backup.service" = "" }, enabled_units = []
      artifacts = { worker = { key = "releases/1/roundtrip-worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "a_unit_enabled_that_is_not_there" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "backup.service" = "" }, enabled_units = ["backup.timer"]
      artifacts = { worker = { key = "releases/1/roundtrip-worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "a_unit_that_ends_user_datas_text" {
  command = plan
  variables {
    installation = {
      region = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts"
      units  = { "odd.service" = "[Service]\nEND OF FILE\nreboot\n" }
      artifacts = {
        worker         = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
        database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      }
    }
  }
  expect_failures = [var.installation]
}

run "no_units" {
  command = plan
  variables {
    installation = {
      region = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = {}
      artifacts = {
        worker         = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
        database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      }
    }
  }
  expect_failures = [var.installation]
}

run "an_agent_in_a_zip" {
  command = plan
  variables {
    installation = {
      region    = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts", units = { "backup.service" = "" }, enabled_units = []
      artifacts = { worker = { key = "releases/1/roundtrip-worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }, cloudwatch_agent = { key = "agent.zip", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" } }
    }
  }
  expect_failures = [var.installation]
}

run "more_units_than_user_data_holds" {
  command = plan
  variables {
    installation = {
      region = "us-east-1", bucket = "tests-releases", environment_parameter = "/roundtrip/dev/environment", log_group = "/roundtrip/dev/hosts"
      # Digests don't pack.
      units = { for index in range(600) : "unit-${index}.service" => sha512(tostring(index)) }
      artifacts = {
        worker         = { key = "worker", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
        database_tools = { key = "tools.tgz", sha256 = "0000000000000000000000000000000000000000000000000000000000000001" }
      }
    }
  }
  expect_failures = [aws_instance.this]
}
