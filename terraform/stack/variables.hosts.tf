variable "s3_bucket_name" {
  description = "Name of the environment's bucket: log of a failback, dumps, backups, journals."
  type        = string
  nullable    = false
}

variable "lambda_create_user_db_function_name" {
  description = "Name of the create-user-db function."
  type        = string
  default     = null
}

variable "lambda_create_user_db_package" {
  description = "The function's archive, as `make build` writes it."
  type        = string
  default     = "../../dist/create-user-db.zip"
  nullable    = false
}

variable "lambda_subnet_ids" {
  description = "Private subnets of the function."
  type        = list(string)
  nullable    = false
}

variable "iam_role_lambda_access_docdb_name" {
  description = "Name of the function's role."
  type        = string
  default     = null
}

variable "iam_policy_lambda_access_docdb_name" {
  description = "Name of the policy of the function's role."
  type        = string
  default     = null
}

variable "iam_role_ec2_name" {
  description = "Name of the failback host's role and instance profile."
  type        = string
  default     = null
}

variable "iam_policy_ec2_name" {
  description = "Name of the policy of the failback host's role."
  type        = string
  default     = null
}

variable "ec2_name" {
  description = "Name of the failback host."
  type        = string
  default     = null
}

variable "ec2_ami" {
  description = "Image of both hosts; null takes the newest Amazon Linux 2023. A newer one leaves a host that stands."
  type        = string
  default     = null
}

variable "ec2_instance_type" {
  description = "Size of the failback host."
  type        = string
  default     = "t3.large"
  nullable    = false
}

variable "ec2_subnet_id" {
  description = "Private subnet of the failback host, in any zone; another one makes the host anew there, the log is in S3."
  type        = string
  nullable    = false
}

variable "ec2_volume_size" {
  description = "Size of the failback host's encrypted disk in GB."
  type        = number
  default     = 50
  nullable    = false
}

variable "host_release" {
  description = <<-EOT
    What both hosts install at their first start, by key and sha256, from a bucket that is there before the first apply: the worker
    (`make build`), MongoDB Database Tools 100.9 to 100.11 (.tgz), DocumentDB's CA bundle, the CloudWatch agent (.rpm or .deb). null leaves
    hosts as their image is. Another release is for the next machine: a standing one is upgraded in place.
  EOT
  type = object({
    bucket           = string
    worker           = object({ key = string, sha256 = string })
    database_tools   = object({ key = string, sha256 = string })
    ca_bundle        = optional(object({ key = string, sha256 = string }))
    cloudwatch_agent = optional(object({ key = string, sha256 = string }))
  })
  default = null
}

variable "operations_name" {
  description = "Name of the operations host."
  type        = string
  default     = null
}

variable "operations_instance_type" {
  description = "Size of the operations host, which is always on."
  type        = string
  default     = "t3.small"
  nullable    = false
}

variable "operations_subnet_id" {
  description = "Private subnet of the operations host, best in another zone than the failback host's; null takes ec2_subnet_id."
  type        = string
  default     = null
}

variable "operations_volume_size" {
  description = "Size of the operations host's encrypted disk in GB."
  type        = number
  default     = 50
  nullable    = false
}

variable "iam_role_operations_name" {
  description = "Name of the operations host's role and instance profile."
  type        = string
  default     = null
}

variable "iam_policy_operations_name" {
  description = "Name of the policy of the operations host's role."
  type        = string
  default     = null
}
