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
  user_data          = "#cloud-config"
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
    ami       = "ami-0fedcba9876543210"
    user_data = "#cloud-config of another release"
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

run "a_book_of_user_data" {
  command = plan
  variables {
    user_data = join("", [for index in range(1024) : "0123456789abcdefg"])
  }
  expect_failures = [var.user_data]
}
