/** The new root: modules task-config and dms with the values of the state. */
import {
  attribute,
  attributes,
  block,
  comment,
  expression,
  HclExpression,
  type HclItem,
  type HclValue,
  hclString,
  hclText,
} from "./hcl.ts";
import { certificateItems, certificateName, instanceItems } from "./resources.ts";
import { type OldSetup, settingsOf } from "./setup.ts";
import type { StateObject } from "./state.ts";
import { commonTags } from "./tags.ts";
import type { Kept } from "./tasks.ts";

export interface RootInput {
  readonly setup: OldSetup;
  readonly environment: string;
  /** The folder of the modules as the root names it: `../../terraform/modules`. */
  readonly modules: string;
  /** What the two modules are called here. */
  readonly names: { readonly dms: string; readonly taskConfig: string };
  /** The files join the old root, which has its provider and versions already. */
  readonly sameState: boolean;
}

/** Variables of the new root, filled while its other files are written. */
export type Variables = Map<
  string,
  { description: string; type: string; default?: string; sensitive?: boolean }
>;

/** `main.tf`; adds to `variables` what it can't write down. */
export function mainText(input: RootInput, variables: Variables): string {
  const { setup, names, modules, environment } = input;
  variables.set("roundtrip_target_secret_id", {
    description:
      "Secret with username and password of the user DMS writes with: the same user that the endpoints have now.",
    type: "string",
    ...(setup.targetSecret === undefined ? {} : { default: setup.targetSecret }),
  });
  return hclText([
    comment(
      "Written by roundtrip adopt from the state of the old set-up; README.md beside it says what comes next.",
    ),
    block(
      "module",
      [names.taskConfig],
      attribute("source", `${modules}/task-config`),
      attribute("tasks_file", expression(`"\${path.module}/tasks.yaml"`)),
      attribute("environment", environment),
    ),
    ...keptLocals(names.taskConfig, shown(setup.targets[0]!, "username", variables, "target") ?? null),
    block(
      "module",
      [names.dms],
      attribute("source", `${modules}/dms`),
      attribute("source_endpoint", sourceEndpoint(setup, variables)),
      attribute("target", target(setup, variables)),
      attribute("target_endpoints", expression("local.roundtrip_target_endpoints")),
      attribute("tasks", expression("local.roundtrip_tasks")),
      attribute("replication_instance_arn", instanceArn(setup)),
      ...tagged(commonTags([setup.source, ...setup.targets, ...setup.tasks.map(({ object }) => object)])),
    ),
    ...instanceItems(setup, input.sameState),
    ...certificateItems(setup),
  ]);
}

/** What is as it was until tasks.yaml says something new: then that holds, and Terraform plans the change. */
function keptLocals(taskConfig: string, username: HclValue): HclItem[] {
  const user = username instanceof HclExpression ? username.text : hclString(String(username ?? ""));
  const kept = (name: string, attributeName: string) => {
    const [own, asKept] = [`task.${attributeName}`, `local.roundtrip_kept.tasks[id].${name}`];
    return `try(jsonencode(${asKept}.declared) == ${own}, false) ? jsonencode(${asKept}.inDms) : ${own}`;
  };
  return [
    comment(
      "What DMS has stays, rule by rule and setting by setting, for as long as tasks.yaml says of a task what it says now: a running\ntask would be stopped for any change. Once a task is changed, what tasks.yaml says of it holds.",
    ),
    block(
      "locals",
      [],
      attribute("roundtrip_kept", expression(`jsondecode(file("\${path.module}/adopted.json"))`)),
      attribute(
        "roundtrip_target_endpoints",
        expression(
          [
            "{",
            `    for id, endpoint in module.${taskConfig}.target_endpoints : id => merge(endpoint, {`,
            `      imported_username = contains(local.roundtrip_kept.imported_target_endpoints, id) ? ${user} : null`,
            "    })",
            "  }",
          ].join("\n"),
        ),
      ),
      attribute(
        "roundtrip_tasks",
        expression(
          [
            "{",
            `    for id, task in module.${taskConfig}.tasks : id => {`,
            "      endpoint_id               = task.endpoint_id",
            `      table_mappings            = ${kept("mappings", "table_mappings")}`,
            `      replication_task_settings = ${kept("settings", "replication_task_settings")}`,
            "    }",
            "  }",
          ].join("\n"),
        ),
      ),
    ),
  ];
}

/** `adopted.json`: what main.tf compares with. No secret: ids, mappings and settings. */
export function keptText(
  setup: OldSetup,
  kept: Readonly<Record<string, { readonly mappings?: Kept; readonly settings: Kept }>>,
): string {
  const document = { imported_target_endpoints: setup.targets.map(({ id }) => id), tasks: kept };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The value, or a variable in its place when the old root calls it sensitive: then it isn't written. */
function shown(
  object: StateObject,
  name: string,
  variables: Variables,
  prefix: string,
): HclValue | undefined {
  if (!object.isSensitive(name)) return object.value(name) as HclValue | undefined;
  const variable = `roundtrip_${prefix}_${name}`;
  const type = name === "port" ? "number" : "string";
  variables.set(variable, {
    description: `${name} of ${object.address.text}, which the old root calls sensitive.`,
    type,
    sensitive: true,
  });
  return expression(`var.${variable}`);
}

function sourceEndpoint(setup: OldSetup, variables: Variables): HclValue {
  const { source } = setup;
  const settings = settingsOf(source);
  const secret = source.text("secrets_manager_arn");
  const of = (name: string) => shown(source, name, variables, "source");
  const login = { server_name: of("server_name"), port: of("port"), username: of("username") };
  return defined({
    endpoint_id: source.id,
    ...(secret === undefined
      ? { imported_login: defined(login) }
      : { secret_arn: secret, secret_access_role_arn: source.text("secrets_manager_access_role_arn") }),
    database_name: source.text("database_name"),
    auth_mechanism: textOf(settings.auth_mechanism),
    auth_source: textOf(settings.auth_source),
    extract_doc_id: textOf(settings.extract_doc_id),
    ssl_mode: source.text("ssl_mode"),
    certificate_arn: certificateArn(setup, source),
    extra_connection_attributes: source.isSensitive("extra_connection_attributes")
      ? of("extra_connection_attributes")
      : source.text("extra_connection_attributes"),
  });
}

function target(setup: OldSetup, variables: Variables): HclValue {
  const [first] = setup.targets;
  return defined({
    server_name: shown(first!, "server_name", variables, "target"),
    port: shown(first!, "port", variables, "target"),
    secret_id: expression("var.roundtrip_target_secret_id"),
    ssl_mode: first!.text("ssl_mode"),
    certificate_arn: certificateArn(setup, first!),
  });
}

function certificateArn(setup: OldSetup, endpoint: StateObject): HclValue | undefined {
  const arn = endpoint.text("certificate_arn");
  const index = setup.certificates.findIndex((each) => each.text("certificate_arn") === arn);
  return index < 0 ? arn : expression(`aws_dms_certificate.${certificateName(index)}.certificate_arn`);
}

function instanceArn({ instance, instanceArn: arn }: OldSetup): HclValue {
  return instance ? expression("aws_dms_replication_instance.adopted.replication_instance_arn") : arn;
}

function tagged(tags: Record<string, string>): HclItem[] {
  return Object.keys(tags).length > 0 ? [attribute("tags", tags)] : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function defined(values: Readonly<Record<string, HclValue | undefined>>): Record<string, HclValue> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (pair): pair is [string, HclValue] => pair[1] !== undefined && pair[1] !== null,
    ),
  );
}

/** `variables.tf`. */
export function variablesText(variables: Variables): string {
  return hclText(
    [...variables].map(([name, { description, type, default: usual, sensitive }]) =>
      block(
        "variable",
        [name],
        ...attributes({ description, type: expression(type), default: usual, sensitive }),
      ),
    ),
  );
}

/** `versions.tf`, of a root of its own: it works in the account and region of the old set-up only. */
export function versionsText(arn: string): string {
  const [, , , region = "", account = ""] = arn.split(":");
  return hclText([
    block(
      "terraform",
      [],
      attribute("required_version", ">= 1.11, < 2.0"),
      block("required_providers", [], attribute("aws", { source: "hashicorp/aws", version: "~> 6.25" })),
    ),
    block("provider", ["aws"], attribute("region", region), attribute("allowed_account_ids", [account])),
  ]);
}
