variable "docdb_sg_name" {
  description = "Name of DocumentDB's security group."
  type        = string
  default     = null
}

variable "docdb_sg_description" {
  description = "Description of DocumentDB's security group. AWS can't change it later."
  type        = string
  default     = "DocumentDB of Roundtrip"
  nullable    = false
}

variable "docdb_ingress_rules" {
  description = "More ingress of DocumentDB, such as the applications'. DMS, the lambda and the host need none: they are let in by their groups."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = []
  nullable    = false
}

variable "docdb_egress_rules" {
  description = "Egress of DocumentDB: it needs none."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = []
  nullable    = false
}

variable "dms_sg_name" {
  description = "Name of the replication instance's security group."
  type        = string
  default     = null
}

variable "dms_sg_description" {
  description = "Description of the replication instance's security group."
  type        = string
  default     = "DMS of Roundtrip"
  nullable    = false
}

variable "dms_ingress_rules" {
  description = "Ingress of the replication instance: it needs none."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = []
  nullable    = false
}

variable "dms_egress_rules" {
  description = "Egress of the replication instance: MongoDB on premises, and the services it reads its secret from. DocumentDB is let by its group."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  nullable    = false
}

variable "lambda_sg_name" {
  description = "Name of the function's security group."
  type        = string
  default     = null
}

variable "lambda_sg_description" {
  description = "Description of the function's security group."
  type        = string
  default     = "create-user-db of Roundtrip"
  nullable    = false
}

variable "lambda_ingress_rules" {
  description = "Ingress of the function: it needs none."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = []
  nullable    = false
}

variable "lambda_egress_rules" {
  description = "Egress of the function besides DocumentDB and S3: HTTPS to Secrets Manager, where `vpc_endpoints` doesn't make its endpoint."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  nullable    = false
}

variable "ec2_sg_name" {
  description = "Name of the failback host's security group."
  type        = string
  default     = null
}

variable "ec2_sg_description" {
  description = "Description of the failback host's security group."
  type        = string
  default     = "Failback host of Roundtrip"
  nullable    = false
}

variable "ec2_ingress_rules" {
  description = "Ingress of the failback host: it needs none, people reach it through SSM."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = []
  nullable    = false
}

variable "ec2_egress_rules" {
  description = "Egress of the failback host besides DocumentDB and S3: MongoDB on premises, HTTPS to AWS's services."
  type        = list(object({ from_port = number, to_port = number, protocol = optional(string, "tcp"), cidr_blocks = list(string) }))
  default     = [{ from_port = 0, to_port = 0, protocol = "-1", cidr_blocks = ["0.0.0.0/0"] }]
  nullable    = false
}
