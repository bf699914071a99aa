import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";

setDefaultTimeout(60_000);

const head = `
  terraform {
    required_providers { aws = { source = "hashicorp/aws", version = "~> 6.25" } }
  }
  provider "aws" {
    region = "us-east-1"
    default_tags { tags = { environment = "dev" } }
  }
`;

/** One of each type whose service the sandbox only keeps, and a bucket with everything on it. */
const everything = `${head}
  data "aws_iam_policy_document" "trust" {
    statement {
      actions = ["sts:AssumeRole"]
      principals {
        type        = "Service"
        identifiers = ["lambda.amazonaws.com"]
      }
    }
  }
  resource "aws_iam_role" "this" {
    name               = "worker"
    assume_role_policy = data.aws_iam_policy_document.trust.json
  }
  resource "aws_iam_policy" "this" {
    name = "worker"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "\${aws_s3_bucket.this.arn}/*" }]
    })
  }
  resource "aws_iam_role_policy_attachment" "this" {
    role       = aws_iam_role.this.name
    policy_arn = aws_iam_policy.this.arn
  }
  resource "aws_iam_instance_profile" "this" {
    name = "worker"
    role = aws_iam_role.this.name
  }
  resource "aws_security_group" "this" {
    name   = "worker"
    vpc_id = "vpc-0123"
  }
  resource "aws_vpc_security_group_egress_rule" "this" {
    security_group_id            = aws_security_group.this.id
    referenced_security_group_id = aws_security_group.this.id
    ip_protocol                  = "tcp"
    from_port                    = 27017
    to_port                      = 27017
  }
  # The same as AWS's own rule of a new group, which the provider has taken away by then.
  resource "aws_vpc_security_group_egress_rule" "everything" {
    security_group_id = aws_security_group.this.id
    cidr_ipv4         = "0.0.0.0/0"
    ip_protocol       = "-1"
  }
  resource "aws_cloudwatch_log_group" "this" {
    name              = "/roundtrip/dev"
    retention_in_days = 30
  }
  resource "aws_sns_topic" "this" { name = "alarms" }
  resource "aws_cloudwatch_metric_alarm" "this" {
    alarm_name          = "lag"
    comparison_operator = "GreaterThanThreshold"
    evaluation_periods  = 1
    threshold           = 60
    alarm_actions       = [aws_sns_topic.this.arn]
  }
  resource "aws_s3_bucket" "this" {
    bucket        = "roundtrip-stored"
    force_destroy = true
  }
  resource "aws_s3_bucket_versioning" "this" {
    bucket = aws_s3_bucket.this.id
    versioning_configuration { status = "Enabled" }
  }
  resource "aws_s3_bucket_public_access_block" "this" {
    bucket                  = aws_s3_bucket.this.id
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
  }
  resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
    bucket = aws_s3_bucket.this.id
    rule {
      apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
    }
  }
  resource "aws_s3_bucket_lifecycle_configuration" "this" {
    bucket = aws_s3_bucket.this.id
    rule {
      id     = "dumps"
      status = "Enabled"
      filter { prefix = "dump/" }
      expiration { days = 30 }
      abort_incomplete_multipart_upload { days_after_initiation = 7 }
    }
  }
  resource "aws_s3_bucket_policy" "this" {
    bucket = aws_s3_bucket.this.id
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:*", Resource = aws_s3_bucket.this.arn, Condition = { Bool = { "aws:SecureTransport" = "false" } } }]
    })
  }`;

const cluster = (more: string) => `${head}
  resource "aws_docdb_subnet_group" "this" {
    name       = "main"
    subnet_ids = ["subnet-1", "subnet-2"]
  }
  resource "aws_docdb_cluster_parameter_group" "this" {
    name   = "main"
    family = "docdb5.0"
    parameter {
      name         = "change_stream_log_retention_duration"
      value        = "86400"
      apply_method = "immediate"
    }
  }
  resource "aws_docdb_cluster" "this" {
    cluster_identifier              = "main"
    master_username                 = "administrator"
    manage_master_user_password     = true
    db_subnet_group_name            = aws_docdb_subnet_group.this.name
    db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this.name
    ${more}
  }
  resource "aws_docdb_cluster_instance" "this" {
    count              = 2
    identifier         = "main-\${count.index}"
    cluster_identifier = aws_docdb_cluster.this.id
    instance_class     = "db.t3.medium"
  }`;

describe.skipIf(!terraformProgram)(
  `stored objects and buckets under the real terraform${whyNoTerraform}`,
  () => {
    let world: TestTerraform;
    beforeAll(async () => {
      world = await TestTerraform.start();
    });
    afterAll(async () => {
      await world[Symbol.asyncDispose]();
    });

    async function open(name: string, content: string): Promise<string> {
      const folder = world.root({ "main.tf": content }, name);
      await world.succeed(folder, "init");
      return folder;
    }

    test("one of each: made, nothing left to do, seen when it is gone or other, taken away", async () => {
      const folder = await open("everything", everything);
      const applied = await world.succeed(folder, "apply", "-auto-approve");
      expect(applied.stdout).toContain("16 added");
      expect(await world.plan(folder)).toEqual({});
      // Behind Terraform's back: a role goes, a bucket's lifecycle is another.
      await world.call("stored-objects", "StoredObjects.DeleteObject", {
        TypeName: "aws_iam_role",
        ObjectId: "worker",
      });
      await world.putBucketSetting(
        "roundtrip-stored",
        "lifecycle",
        "<LifecycleConfiguration><Rule><ID>other</ID><Status>Disabled</Status></Rule></LifecycleConfiguration>",
      );
      expect(await world.plan(folder)).toEqual({
        "aws_iam_role.this": "create",
        "aws_s3_bucket_lifecycle_configuration.this": "update",
      });
      await world.succeed(folder, "apply", "plan.bin");
      expect(await world.plan(folder)).toEqual({});
      await world.succeed(folder, "destroy", "-auto-approve");
      expect(
        await world.call("stored-objects", "StoredObjects.ListObjects", { TypeName: "aws_iam_role" }),
      ).toEqual({ Objects: [] });
    });

    test("a protected cluster isn't destroyed, and a final snapshot must be named or declined", async () => {
      const folder = await open("cluster", cluster("deletion_protection = true"));
      await world.succeed(folder, "apply", "-auto-approve");
      expect(await world.plan(folder)).toEqual({});
      const refused = await world.run(folder, "destroy", "-auto-approve");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("Cannot delete protected Cluster");
      writeFileSync(join(folder, "main.tf"), cluster("deletion_protection = false"));
      await world.succeed(folder, "apply", "-auto-approve");
      const unnamed = await world.run(folder, "destroy", "-auto-approve");
      expect(unnamed.stderr).toContain("final_snapshot_identifier is required");
      writeFileSync(join(folder, "main.tf"), cluster("skip_final_snapshot = true"));
      await world.succeed(folder, "apply", "-auto-approve");
      await world.succeed(folder, "destroy", "-auto-approve");
    });

    test("another identifier, user name or port replaces a cluster; another retention changes its parameters in place", async () => {
      const folder = await open("replace", cluster("skip_final_snapshot = true"));
      await world.succeed(folder, "apply", "-auto-approve");
      writeFileSync(
        join(folder, "main.tf"),
        cluster("skip_final_snapshot = true\n    port = 27018").replace('"86400"', '"604800"'),
      );
      expect(await world.plan(folder)).toEqual({
        "aws_docdb_cluster.this": "delete+create",
        "aws_docdb_cluster_instance.this[0]": "delete+create",
        "aws_docdb_cluster_instance.this[1]": "delete+create",
        "aws_docdb_cluster_parameter_group.this": "update",
      });
      await world.succeed(folder, "destroy", "-auto-approve");
    });

    test("an instance is a machine of the sandbox: stop protection set in an outage isn't Terraform's, a new user_data keeps it", async () => {
      const machine = (userData: string) => `${head}
      resource "aws_instance" "this" {
        ami           = "ami-0123456789abcdef0"
        instance_type = "t3.large"
        subnet_id     = "subnet-1"
        user_data     = "${userData}"
        root_block_device {
          volume_size = 50
          encrypted   = true
        }
        metadata_options { http_tokens = "required" }
        lifecycle { ignore_changes = [disable_api_stop] }
      }
      output "id" { value = aws_instance.this.id }`;
      const folder = await open("machine", machine("one"));
      await world.succeed(folder, "apply", "-auto-approve");
      expect(await world.plan(folder)).toEqual({});
      const id = (await world.succeed(folder, "output", "-raw", "id")).stdout;
      const machines = (await world.aws.control("GET", "instances")) as { id: string; state: string }[];
      expect(machines).toContainEqual(
        expect.objectContaining({ id, state: "running", instanceType: "t3.large" }),
      );
      writeFileSync(join(folder, "main.tf"), machine("two"));
      expect(await world.plan(folder)).toEqual({ "aws_instance.this": "update" });
      await world.succeed(folder, "apply", "plan.bin");
      expect((await world.succeed(folder, "output", "-raw", "id")).stdout).toBe(id);
      expect(await world.plan(folder)).toEqual({});
      await world.succeed(folder, "destroy", "-auto-approve");
    });

    test("a policy document is written as the real provider writes it", async () => {
      const folder = await open(
        "policy",
        `${head}
      data "aws_iam_policy_document" "this" {
        statement {
          sid       = "Read"
          actions   = ["s3:GetObject", "s3:ListBucket"]
          resources = ["arn:aws:s3:::b"]
          condition {
            test     = "StringEquals"
            variable = "aws:PrincipalAccount"
            values   = ["123456789012"]
          }
        }
      }
      output "json" { value = data.aws_iam_policy_document.this.json }`,
      );
      await world.succeed(folder, "apply", "-auto-approve");
      expect((await world.succeed(folder, "output", "-raw", "json")).stdout).toBe(`{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:GetObject"
      ],
      "Resource": "arn:aws:s3:::b",
      "Condition": {
        "StringEquals": {
          "aws:PrincipalAccount": "123456789012"
        }
      }
    }
  ]
}`);
    });
  },
);
