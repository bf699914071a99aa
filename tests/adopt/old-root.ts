/** The old documents' root: DMS in a module, passwords in clear, the tasks from a JSON file. */
import { endpointOf } from "../../sandbox/aws/dms/testing/setup.ts";

export const readingPassword = "read-by-dms-5521";
export const writingPassword = "written-by-dms-8812";

const include = (database: string, ...names: string[]) =>
  names.map((name, index) => ({
    "rule-type": "selection",
    "rule-id": String(index + 1),
    "rule-name": `${index + 1}-${name}`,
    "object-locator": { "schema-name": database, "table-name": name },
    "rule-action": "include",
    filters: [],
  }));

export const oldTasksFile = [
  { task_id: "cobranza-2", rules: include("Si_DbCobranza", "pagos", "cuotas_1"), key: "test-docdb-cobranza" },
  { task_id: "Firmas-1", rules: include("Si_DbClaFirmas", "firmas"), key: "test-docdb-firmas" },
  { task_id: "firmas-historia", rules: include("Si_DbClaFirmas", "historia"), key: "test-docdb-firmas" },
].map(({ task_id, rules, key }) => ({ task_id, "table-mappings": { rules }, target_endpoint_key: key }));

/** Its files by name; `isStarted`: Terraform starts the tasks. */
export function oldRoot(source: string, target: string, isStarted: boolean): Record<string, string> {
  const [from, to] = [endpointOf(source), endpointOf(target)];
  return {
    "main.tf": `
provider "aws" {
  region = "us-east-1"
}

resource "aws_secretsmanager_secret" "replication" {
  name = "dms-user-replication"
}

resource "aws_secretsmanager_secret_version" "replication" {
  secret_id     = aws_secretsmanager_secret.replication.id
  secret_string = jsonencode({ username = "dms_target", password = "${writingPassword}" })
}
`,
    "dms.tf": `
variable "mongodb_onpremise_password" {
  type      = string
  sensitive = true
  default   = "${readingPassword}"
}

module "domain5_dms" {
  source = "./dms-mongodb"

  mongodb = { endpoint_id = "test-mongodb", server_name = "${from.ServerName}", port = ${from.Port} }
  mongodb_password = var.mongodb_onpremise_password
  docdb   = { server_name = "${to.ServerName}", port = ${to.Port}, password = "${writingPassword}" }
  dms_endpoints_docdb = [
    { endpoint_id = "test-docdb-cobranza", database_name = "Si_DbCobranza" },
    { endpoint_id = "test-docdb-firmas", database_name = "Si_DbClaFirmas" },
  ]
}
`,
    "dms-mongodb/main.tf": oldModule(isStarted),
    "dms-mongodb/dmsReplicationTasks.json": JSON.stringify(oldTasksFile),
  };
}

const oldModule = (isStarted: boolean) => `
variable "mongodb" { type = any }
variable "mongodb_password" {
  type      = string
  sensitive = true
}
variable "docdb" { type = any }
variable "dms_endpoints_docdb" { type = list(any) }

locals {
  tasks = { for task in jsondecode(file("\${path.module}/dmsReplicationTasks.json")) : lower(task.task_id) => task }
  tags  = { dominio = "5", texto = "a $\${b} %%{c} \\"d\\"" }
}

resource "aws_dms_endpoint" "source" {
  endpoint_id   = var.mongodb.endpoint_id
  endpoint_type = "source"
  engine_name   = "mongodb"
  server_name   = var.mongodb.server_name
  port          = var.mongodb.port
  database_name = ""
  username      = "dms_source"
  password      = var.mongodb_password
  tags          = local.tags
  mongodb_settings {
    auth_mechanism = "scram-sha-1"
    extract_doc_id = "true"
  }
}

resource "aws_dms_endpoint" "target" {
  for_each      = { for endpoint in var.dms_endpoints_docdb : endpoint.endpoint_id => endpoint }
  endpoint_id   = each.key
  endpoint_type = "target"
  engine_name   = "docdb"
  database_name = each.value.database_name
  server_name   = var.docdb.server_name
  port          = var.docdb.port
  username      = sensitive("dms_target")
  password      = var.docdb.password
  tags          = local.tags
}

resource "aws_dms_replication_subnet_group" "this" {
  replication_subnet_group_id          = "dms-mongodb-docdb"
  replication_subnet_group_description = "Migración \\"mongodb\\""
  subnet_ids                           = ["subnet-2", "subnet-1"]
}

resource "aws_dms_replication_instance" "this" {
  replication_instance_id      = "ri-mongodb-docdb"
  replication_instance_class   = "dms.t3.medium"
  allocated_storage            = 50
  engine_version               = "3.6.0"
  apply_immediately            = true
  preferred_maintenance_window = "mon:03:00-mon:05:00"
  replication_subnet_group_id  = aws_dms_replication_subnet_group.this.id
}

resource "aws_dms_replication_task" "replication_task" {
  for_each                  = local.tasks
  replication_task_id       = each.key
  migration_type            = "full-load-and-cdc"
  replication_instance_arn  = aws_dms_replication_instance.this.replication_instance_arn
  source_endpoint_arn       = aws_dms_endpoint.source.endpoint_arn
  target_endpoint_arn       = aws_dms_endpoint.target[each.value.target_endpoint_key].endpoint_arn
  table_mappings            = jsonencode(each.value["table-mappings"])
  replication_task_settings = jsonencode({ TargetMetadata = { SupportLobs = true, FullLobMode = false, LimitedSizeLobMode = true, LobMaxSize = 32, LobChunkSize = 0 } })
  tags                      = local.tags
  ${isStarted ? "start_replication_task = true" : ""}
}
`;
