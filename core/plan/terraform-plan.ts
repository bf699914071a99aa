/**
 * Reads `terraform show -json <planfile>`. That document holds every value in clear, sensitive ones too: only addresses,
 * types, names of attributes and identifiers that Terraform does not call sensitive leave this file. Format:
 * https://developer.hashicorp.com/terraform/internals/json-format
 */
import { RoundtripError } from "../errors.ts";
import type { InfrastructureChange } from "../ports.ts";
import { hiddenCharacter, spellOut } from "../tasks/names.ts";

type Json = Readonly<Record<string, unknown>>;
type Action = InfrastructureChange["action"];

/** What AWS calls an object, by the provider's type. */
const identifierAttributes: Readonly<Record<string, string>> = {
  aws_dms_replication_task: "replication_task_id",
  aws_dms_endpoint: "endpoint_id",
  aws_dms_replication_instance: "replication_instance_id",
  aws_docdb_cluster: "cluster_identifier",
  aws_docdb_cluster_instance: "identifier",
  aws_docdb_cluster_parameter_group: "name",
};
const otherIdentifier = "name";
const identifierLengthMax = 255;

/** Terraform's lists of actions. `null` touches nothing: `read` looks, `forget` leaves the object where it is. */
const actionsRead: ReadonlyMap<string, Action | null> = new Map([
  ["no-op", null],
  ["read", null],
  ["forget", null],
  ["create", "create"],
  ["update", "update"],
  ["delete", "delete"],
  ["delete,create", "replace"],
  ["create,delete", "replace"],
  ["create,forget", "create"],
]);

/**
 * What the plan will do to managed objects, in the plan's order; what it leaves alone, also when it was only moved or
 * imported, is left out. A replacement that changes the identifier is a delete and a create. Fails with kind
 * `configuration` for text that is no plan of format 1.x, `refused` for a plan that ended in an error or is partial.
 */
export function readTerraformPlan(text: string): InfrastructureChange[] {
  return changesIn(readDocument(text), "resource_changes");
}

/** What was changed behind Terraform's back, as a refresh found it; `delete` is an object that is no longer there. */
export function readTerraformDrift(text: string): InfrastructureChange[] {
  return changesIn(readDocument(text), "resource_drift");
}

function readDocument(text: string): Json {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold secrets: it is dropped on purpose.
    throw notAPlan(`${text.length} characters that are not JSON`);
  }
  if (!isRecord(document)) throw notAPlan("JSON that is not an object");
  const version = document.format_version;
  if (typeof version !== "string" || !/^1\.\d{1,4}$/.test(version))
    throw notAPlan("no format_version, or one that isn't 1.x");
  if (!isRecord(document.planned_values) && !Array.isArray(document.resource_changes))
    throw notAPlan("a document without planned_values or resource_changes (a state, perhaps)");
  if (document.errored === true) throw unfinished("a plan that ended in an error");
  if (document.complete === false)
    throw unfinished("a partial plan (targeted, or with deferred changes), which says nothing of the rest");
  return document;
}

function changesIn(document: Json, list: "resource_changes" | "resource_drift"): InfrastructureChange[] {
  const entries = document[list] ?? [];
  if (!Array.isArray(entries)) throw notAPlan(`${list} that is not a list`);
  return entries.flatMap((entry: unknown, index) => changesOf(entry, `${list}[${index}]`));
}

function changesOf(entry: unknown, where: string): InfrastructureChange[] {
  if (!isRecord(entry) || !isRecord(entry.change)) throw notAPlan(`${where} without a change`);
  const { address, type, mode, deposed, change } = entry;
  if (typeof address !== "string" || typeof type !== "string")
    throw notAPlan(`${where} without address and type`);
  if (mode === "data") return [];
  const action = actionOf(change, where);
  if (action === null) return [];
  const name = typeof deposed === "string" ? `${address} (deposed)` : address;
  const before = identifierIn(change, "before", type);
  const after = identifierIn(change, "after", type);
  const one = (kind: Action, identifier: string | undefined, attributes: readonly string[] = []) => ({
    address: shown(name),
    type: shown(type),
    action: kind,
    ...(identifier === undefined ? {} : { identifier }),
    attributes,
  });
  if (action === "replace" && before !== undefined && after !== undefined && before !== after)
    return [one("delete", before, forcing(change)), one("create", after)];
  if (action === "replace") return [one("replace", before ?? after, forcing(change))];
  if (action === "update") return [one("update", after ?? before, changed(change))];
  return [one(action, action === "delete" ? before : after)];
}

function actionOf(change: Json, where: string): Action | null {
  const actions = Array.isArray(change.actions) ? change.actions.join() : "";
  const action = actionsRead.get(actions);
  if (action === undefined) throw notAPlan(`${where} with actions this version doesn't know`);
  return action;
}

/** The identifier on one side, when Terraform knows it and nothing of it is marked sensitive. */
function identifierIn(change: Json, side: "before" | "after", type: string): string | undefined {
  const attribute = Object.hasOwn(identifierAttributes, type) ? identifierAttributes[type]! : otherIdentifier;
  const values = change[side];
  if (!isRecord(values) || !Object.hasOwn(values, attribute)) return undefined;
  if (isMarked(change[`${side}_sensitive`], attribute)) return undefined;
  if (side === "after" && isMarked(change.after_unknown, attribute)) return undefined;
  const value = values[attribute];
  if (typeof value !== "string" || value === "" || value.length > identifierLengthMax) return undefined;
  return shown(value);
}

/** Terraform marks a whole object by `true`, or parts of it by an object of the same shape. */
function isMarked(marks: unknown, attribute: string): boolean {
  if (marks === undefined || marks === null || marks === false) return false;
  if (!isRecord(marks)) return true;
  return Object.hasOwn(marks, attribute) && marks[attribute] !== false;
}

/** Attributes that force the replacement; only names, from the first step of each path. */
function forcing(change: Json): string[] {
  const paths = Array.isArray(change.replace_paths) ? change.replace_paths : [];
  return sorted(paths.map((path: unknown) => (Array.isArray(path) ? path[0] : undefined)));
}

function changed(change: Json): string[] {
  const [before, after] = [asRecord(change.before), asRecord(change.after)];
  const unknown = asRecord(change.after_unknown);
  return sorted(
    [...new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(unknown)])].filter(
      (name) => hasUnknown(unknown[name]) || JSON.stringify(before[name]) !== JSON.stringify(after[name]),
    ),
  );
}

function hasUnknown(mark: unknown): boolean {
  if (mark === true) return true;
  return typeof mark === "object" && mark !== null && Object.values(mark).some(hasUnknown);
}

function sorted(names: readonly unknown[]): string[] {
  const texts = names.filter((name): name is string => typeof name === "string").map(shown);
  return [...new Set(texts)].sort();
}

/** Nothing that is printed turns the text around it. */
function shown(text: string): string {
  return text.replace(new RegExp(`${hiddenCharacter.source}|[\\n\\r\\t]`, "gu"), spellOut);
}

function asRecord(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const reading = "read the Terraform plan";

function notAPlan(got: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: reading,
    expected: "the output of terraform show -json <planfile>, format 1.x",
    got,
    wayOut: "write it anew: terraform plan -out=FILE, then terraform show -json FILE",
  });
}

function unfinished(got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: reading,
    expected: "a plan of the whole stack, to its end",
    got,
    wayOut: "mend what Terraform complains of and plan again, without -target",
  });
}
