/**
 * What a Terraform that was killed may have made without writing it down: the objects that the next plan wants to create,
 * and how each would be found and imported. By name where AWS takes a name once and the provider imports by it; by a look
 * at AWS where it gives an identifier of its own. What is neither (a bucket's settings, a role's policy) AWS lets be made
 * twice, with the same outcome.
 */
import { RoundtripError } from "../errors.ts";
import type { InfrastructureChange } from "../ports.ts";

type Json = Readonly<Record<string, unknown>>;

export type Known = string | number | boolean | null;

/** An object that a plan creates, with what the plan knows of it; nothing that Terraform calls sensitive. */
export interface Creation {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, Known>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** The tags every object of an environment has (the provider's `default_tags`), by which its own are told. */
export const ownTags = ["product", "environment"] as const;

/** The provider imports these by this argument, and AWS refuses a second one of the same name. */
const importedBy: Readonly<Record<string, string>> = {
  aws_cloudwatch_log_group: "name",
  aws_dms_certificate: "certificate_id",
  aws_dms_endpoint: "endpoint_id",
  aws_dms_replication_instance: "replication_instance_id",
  aws_dms_replication_subnet_group: "replication_subnet_group_id",
  aws_dms_replication_task: "replication_task_id",
  aws_docdb_cluster: "cluster_identifier",
  aws_docdb_cluster_instance: "identifier",
  aws_docdb_cluster_parameter_group: "name",
  aws_docdb_subnet_group: "name",
  aws_iam_instance_profile: "name",
  aws_iam_role: "name",
  aws_lambda_function: "function_name",
  aws_s3_bucket: "bucket",
  aws_ssm_document: "name",
  aws_ssm_parameter: "name",
};

/**
 * AWS makes the identifier of these; or, of DMS's, whether they exist decides what a reviewed plan still has to do. What
 * tells one from another, besides its tags: all of it must be known to look.
 */
const foundBy: Readonly<Record<string, readonly string[]>> = {
  aws_dms_endpoint: ["endpoint_id"],
  aws_dms_replication_task: ["replication_task_id"],
  aws_ebs_volume: ["availability_zone"],
  aws_instance: ["subnet_id"],
  aws_secretsmanager_secret: ["name"],
  aws_security_group: ["name", "vpc_id"],
  aws_vpc_endpoint: ["service_name", "vpc_id", "vpc_endpoint_type"],
  aws_vpc_security_group_egress_rule: ["security_group_id"],
  aws_vpc_security_group_ingress_rule: ["security_group_id"],
};

/** What the provider imports the object by, where a name says it. */
export function importIdOf({ type, values }: Creation): string | undefined {
  const id = Object.hasOwn(importedBy, type) ? values[importedBy[type]!] : undefined;
  return typeof id === "string" && id !== "" ? id : undefined;
}

/** Whether AWS is asked for an object that is the same: its type is one of those, and it carries the environment's tags. */
export function canBeLookedFor({ type, values, tags }: Creation): boolean {
  const needed = Object.hasOwn(foundBy, type) ? foundBy[type]! : undefined;
  return (
    needed !== undefined &&
    needed.every((name) => typeof values[name] === "string") &&
    ownTags.every((name) => tags[name])
  );
}

/** The objects a plan (`terraform show -json`) creates. Fails `configuration` for text that is no plan. */
export function creationsIn(planText: string): Creation[] {
  return changesIn(planText).flatMap(({ address, type, mode, change }) => {
    const actions = Array.isArray(change.actions) ? change.actions.join() : "";
    if (mode === "data" || actions !== "create") return [];
    const after = record(change.after);
    const hidden = [record(change.after_sensitive), record(change.after_unknown)];
    const isKnown = (name: string) =>
      hidden.every((marks) => marks[name] === undefined || marks[name] === false);
    const values = Object.entries(after).filter(([name, value]) => isScalar(value) && isKnown(name));
    const tags = Object.entries(record(after.tags_all)).filter(([, value]) => typeof value === "string");
    return [
      {
        address,
        type,
        values: Object.fromEntries(values) as Record<string, Known>,
        tags: Object.fromEntries(tags) as Record<string, string>,
      },
    ];
  });
}

/** An object that a plan imports. */
export interface Taken {
  readonly address: string;
  readonly type: string;
  /** What the provider imports it by. */
  readonly id: string;
}

/** Making these takes the provider more than one call, and no plan shows when the later ones are missing. */
const finishedByCalls: ReadonlySet<string> = new Set(["aws_security_group"]);

/** Objects that the plan takes over and that may be half made in a way Terraform doesn't see. */
export function unfinishedIn(planText: string): Taken[] {
  return changesIn(planText).flatMap(({ address, type, change }) => {
    const { id } = record(change.importing);
    return typeof id === "string" && finishedByCalls.has(type) ? [{ address, type, id }] : [];
  });
}

/** An object that the plan imports and that may not be taken over, and why, in words. */
export interface Refusal {
  readonly address: string;
  readonly words: string;
}

/** Objects that the plan imports and that lack the environment's tags, or would be replaced. */
export function refusalsIn(planText: string): Refusal[] {
  return changesIn(planText).flatMap(({ address, change }) => {
    const { id } = record(change.importing);
    if (typeof id !== "string") return [];
    const [before, after] = [record(record(change.before).tags_all), record(record(change.after).tags_all)];
    const wrong = ownTags.filter((name) => typeof after[name] !== "string" || before[name] !== after[name]);
    const actions = Array.isArray(change.actions) ? change.actions.join() : "";
    if (wrong.length > 0)
      return [
        {
          address,
          words: `${address}: ${id} exists and does not carry this environment's tags (${wrong.join(", ")})`,
        },
      ];
    if (actions === "no-op" || actions === "update") return [];
    const how = `${actions}${forcedBy(change)}`;
    return [{ address, words: `${address}: ${id} exists, and Terraform would not keep it (${how})` }];
  });
}

/** The provider's own note on a task, which an import leaves open: Terraform then writes "not started by me" into its state. */
const startFlag = "start_replication_task";

/** A plan's changes without what only an import leaves open: it reaches no object. */
export function withoutOpenNotes(
  planText: string,
  changes: readonly InfrastructureChange[],
): InfrastructureChange[] {
  const noted = new Set(
    changesIn(planText)
      .filter(({ change }) => {
        const [before, after] = [record(change.before), record(change.after)];
        return (
          typeof record(change.importing).id === "string" &&
          (before[startFlag] ?? null) === null &&
          after[startFlag] === false
        );
      })
      .map(({ address }) => address),
  );
  return changes.flatMap((change) => {
    if (!noted.has(change.address) || !change.attributes.includes(startFlag)) return [change];
    const attributes = change.attributes.filter((name) => name !== startFlag);
    return attributes.length > 0 ? [{ ...change, attributes }] : [];
  });
}

function forcedBy({ replace_paths: paths }: Json): string {
  if (!Array.isArray(paths) || paths.length === 0) return "";
  return ` for ${paths.map((path: unknown) => (Array.isArray(path) ? path.join(".") : "")).join(", ")}`;
}

function changesIn(planText: string): { address: string; type: string; mode: unknown; change: Json }[] {
  let plan: Json;
  try {
    plan = record(JSON.parse(planText));
  } catch {
    // The parser's message quotes the text, which may hold secrets: it is dropped on purpose.
    throw new RoundtripError({
      kind: "configuration",
      what: "read the Terraform plan",
      expected: "the output of terraform show -json <planfile>",
      got: `${planText.length} characters that are not JSON`,
      wayOut: "write it anew: terraform plan -out=FILE, then terraform show -json FILE",
    });
  }
  const list = Array.isArray(plan.resource_changes) ? (plan.resource_changes as unknown[]) : [];
  return list.map((entry) => {
    const { address, type, mode, change } = record(entry);
    return { address: String(address), type: String(type), mode, change: record(change) };
  });
}

function isScalar(value: unknown): value is Known {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
