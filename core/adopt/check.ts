/** Reads the first plan of an adopted root: nothing may be made, replaced, deleted, reloaded, stopped or restarted. */
import { RoundtripError } from "../errors.ts";
import { endpointType, guarded, taskType } from "../plan/guarded-types.ts";
import { readTerraformPlan } from "../plan/terraform-plan.ts";
import { listed } from "../plan/words.ts";
import type { InfrastructureChange } from "../ports.ts";

/** Terraform's plan of a change in which no value changes; the provider isn't asked. */
const onlyMarks = "what counts as sensitive";

type Json = Readonly<Record<string, unknown>>;

export interface PlanCheck {
  /** What the plan holds besides objects it leaves alone. */
  readonly imported: number;
  readonly moved: number;
  readonly forgotten: number;
  /** Changes in place that touch no task, by address. */
  readonly harmless: readonly string[];
  /** One sentence each, with its address first; the adoption must not be applied while there is one. */
  readonly problems: readonly string[];
}

/**
 * Attributes that change in place without reaching DMS, or its running tasks. The rest is not harmless:
 * - aws_dms_replication_task: the provider stops a running task to modify it, and starts it again only with
 *   start_replication_task (resourceReplicationTaskUpdate in internal/service/dms/replication_task.go; tags and
 *   start_replication_task are excepted there).
 * - aws_dms_endpoint: DMS refuses to modify an endpoint whose task runs
 *   (github.com/hashicorp/terraform-provider-aws/issues/27661), and with pause_replication_tasks the provider stops the tasks and may
 *   leave them stopped (issues/46139).
 * - aws_dms_replication_instance: a change restarts it, at once or in the next window; an apply_immediately alone asks DMS for no
 *   change at all, which it refuses.
 */
const harmlessAttributes: ReadonlySet<string> = new Set(["tags", "tags_all"]);

/**
 * Takes the output of `terraform show -json <planfile>`; `accepted` are addresses a person has let pass. Fails as
 * `readTerraformPlan` does. Values stay inside, sensitive or not.
 */
export function checkAdoptionPlan(text: string, accepted: readonly string[] = []): PlanCheck {
  const changes = readTerraformPlan(text);
  const entries = entriesOf(text);
  const unknown = accepted.filter((address) => !changes.some((change) => change.address === address));
  if (unknown.length > 0) throw notThere(unknown);
  const problems: string[] = [];
  const harmless: string[] = [];
  for (const change of changes.filter(({ address }) => !accepted.includes(address))) {
    const problem = problemOf(change, entries.get(change.address));
    if (problem) problems.push(problem);
    else harmless.push(`${change.address} (${listed(change.attributes) || onlyMarks})`);
  }
  const all = [...entries.values()];
  return {
    imported: all.filter((entry) => changeOf(entry).importing).length,
    moved: all.filter(({ previous_address: before }) => typeof before === "string").length,
    forgotten: all.filter((entry) => actionsOf(entry).includes("forget")).length,
    harmless,
    problems,
  };
}

function problemOf(change: InfrastructureChange, entry: Json | undefined): string | undefined {
  const { address, action, attributes, type } = change;
  if (action !== "update") return lossOf(change);
  const before = attributesFromNothing(entry);
  const reaching = attributes.filter((name) => !harmlessAttributes.has(name) && !before.has(name));
  if (reaching.length === 0) return undefined;
  return `${address}: Terraform changes ${listed(reaching)}; ${consequences[type] ?? "that is no part of the adoption: plan and apply it apart"}`;
}

/** Flags the provider's schema turns from not set into false: the same to its code, which compares typed values. */
function attributesFromNothing(entry: Json | undefined): Set<string> {
  const change = entry ? changeOf(entry) : {};
  const [before, after] = [recordOf(change.before), recordOf(change.after)];
  const flags = ["start_replication_task", "pause_replication_tasks"];
  return new Set(
    flags.filter((name) => (before[name] ?? false) === false && (after[name] ?? false) === false),
  );
}

const consequences: Readonly<Record<string, string>> = {
  [taskType]:
    "a running task is stopped for that, and nothing starts it again; way out: tasks.yaml and adopted.json as roundtrip adopt wrote them, or pause the task first",
  [endpointType]:
    "DMS refuses that while a task of the endpoint runs; way out: give it the values it has, as roundtrip adopt wrote them",
  aws_dms_replication_instance:
    "that restarts the instance, at once or in its window; way out: give it the values it has, and change it later",
};

function lossOf({ address, action, type, identifier, attributes }: InfrastructureChange): string {
  const { noun = "object", loss = "it goes" } = guarded[type] ?? {};
  const what = `the ${noun}${identifier === undefined ? "" : ` ${identifier}`}`;
  if (action === "create")
    return `${address}: Terraform creates ${what}; way out: an import or moved block for the one that exists, under its id there`;
  const because = attributes.length > 0 ? ` (forced by ${listed(attributes)})` : "";
  const verb = action === "replace" ? "replaces" : "deletes";
  return `${address}: Terraform ${verb} ${what}${because}, and ${loss}; way out: write the id and values it has, as roundtrip adopt did`;
}

/** By address as the plan's reader names it. The text was read before: it is a plan. */
function entriesOf(text: string): Map<string, Json> {
  const { resource_changes: changes = [] } = JSON.parse(text) as { resource_changes?: readonly Json[] };
  return new Map(
    changes.filter(({ mode }) => mode !== "data").map((entry) => [String(entry.address), entry]),
  );
}

function changeOf(entry: Json): Json {
  return recordOf(entry.change);
}

function actionsOf(entry: Json): readonly unknown[] {
  const { actions } = changeOf(entry);
  return Array.isArray(actions) ? actions : [];
}

function recordOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function notThere(addresses: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "usage",
    what: "accept changes of the plan",
    expected: "addresses of changes the plan holds",
    got: listed(addresses),
    wayOut: "run it without --accept: it names the addresses",
  });
}
