/** The part of an old state that replicates: what roundtrip takes over, and what speaks against it. */
import { RoundtripError } from "../errors.ts";
import type { StateObject } from "./state.ts";

export interface OldTask {
  readonly id: string;
  readonly object: StateObject;
  readonly target: StateObject;
}

export interface OldSetup {
  readonly tasks: readonly OldTask[];
  readonly source: StateObject;
  /** Target endpoints that tasks write through, each once. */
  readonly targets: readonly StateObject[];
  readonly instanceArn: string;
  /** Undefined where another state has it. */
  readonly instance?: StateObject;
  readonly subnetGroup?: StateObject;
  readonly certificates: readonly StateObject[];
  /** Secret of the writing user, when a secret of this state holds the target endpoints' login. */
  readonly targetSecret?: string;
  /** Everything else of the state. */
  readonly others: readonly StateObject[];
}

/**
 * Finds MongoDB's endpoint, DocumentDB's, the instance and the tasks between them. Fails with kind `refused`, every
 * reason in one message, for what the modules can't say: adopting that would replace or change something.
 */
export function findSetup(state: readonly StateObject[]): OldSetup {
  const of = (type: string) => state.filter((object) => object.type === type);
  const endpoints = new Map(of("aws_dms_endpoint").map((each) => [each.text("endpoint_arn"), each]));
  const problems: string[] = [];
  const tasks: OldTask[] = [];
  const sources = new Set<StateObject>();
  for (const object of of("aws_dms_replication_task")) {
    const [source, target] = ["source_endpoint_arn", "target_endpoint_arn"].map((name) =>
      endpoints.get(object.text(name)),
    );
    const engines = [source, target].map((each) => each?.text("engine_name"));
    if (source && target && (engines[0] !== "mongodb" || engines[1] !== "docdb")) continue;
    const id = object.text("replication_task_id")?.toLowerCase();
    if (!source || !target || !id) {
      problems.push(
        `${object.address.text}: its id and both its endpoints must be in this state, and not marked sensitive`,
      );
      continue;
    }
    problems.push(...taskProblems(object));
    sources.add(source);
    tasks.push({ id, object, target });
  }
  if (tasks.length === 0 && problems.length === 0)
    problems.push("no aws_dms_replication_task from engine mongodb to engine docdb is in this state");
  problems.push(
    ...onlyOne(
      "source endpoint",
      [...sources].map(({ id }) => id),
    ),
  );
  const instances = [
    ...new Set(tasks.map(({ object }) => object.text("replication_instance_arn") ?? "(unknown)")),
  ];
  problems.push(...onlyOne("replication instance", instances));
  const targets = [...new Set(tasks.map(({ target }) => target))];
  const source = [...sources][0];
  if (source) problems.push(...sourceProblems(source));
  problems.push(...targetProblems(targets));
  if (problems.length > 0 || !source) throw cannot(problems);
  const instance = of("aws_dms_replication_instance").find(
    (each) => each.text("replication_instance_arn") === instances[0],
  );
  const subnetGroup = of("aws_dms_replication_subnet_group").find(
    (each) => instance !== undefined && each.id === instance.text("replication_subnet_group_id"),
  );
  const used = new Set([source, ...targets].map((each) => each.text("certificate_arn")));
  const certificates = of("aws_dms_certificate").filter((each) => used.has(each.text("certificate_arn")));
  const adopted = new Set<StateObject>([
    ...tasks.map(({ object }) => object),
    source,
    ...targets,
    ...certificates,
  ]);
  for (const each of [instance, subnetGroup]) if (each) adopted.add(each);
  const targetSecret = of("aws_secretsmanager_secret_version")
    .filter((version) => targets.every((target) => target.hasLoginOf(version)))
    .flatMap((version) => version.text("secret_id") ?? [])[0];
  return {
    tasks,
    source,
    targets,
    instanceArn: instances[0]!,
    ...(instance ? { instance } : {}),
    ...(subnetGroup ? { subnetGroup } : {}),
    certificates,
    ...(targetSecret === undefined ? {} : { targetSecret }),
    others: state.filter((each) => !adopted.has(each)),
  };
}

function taskProblems(task: StateObject): string[] {
  const problems: string[] = [];
  const type = task.text("migration_type");
  if (type !== "full-load-and-cdc")
    problems.push(
      `${task.address.text}: migration_type is ${type ?? "not shown"}; a failback needs full-load-and-cdc`,
    );
  for (const name of ["table_mappings", "replication_task_settings"])
    if (task.text(name) === undefined)
      problems.push(
        `${task.address.text}: ${name} isn't in the state, or is marked sensitive; terraform apply -refresh-only writes it there`,
      );
  if (task.tainted)
    problems.push(
      `${task.address.text}: is tainted, so Terraform would replace it; terraform untaint it first`,
    );
  return problems;
}

function onlyOne(noun: string, ids: readonly string[]): string[] {
  return ids.length > 1
    ? [
        `the tasks use ${ids.length} ${noun}s (${ids.join(", ")}); one root takes over one: move the other tasks to a state of their own first`,
      ]
    : [];
}

function sourceProblems(source: StateObject): string[] {
  const settings = settingsOf(source);
  const where = source.address.text;
  const problems: string[] = [];
  if ((settings.nesting_level ?? "none") !== "none")
    problems.push(
      `${where}: nesting_level is ${String(settings.nesting_level)}; a DocumentDB target takes whole documents only`,
    );
  if (settings.auth_type === "no")
    problems.push(`${where}: auth_type is no; roundtrip reads MongoDB with a user`);
  if (source.text("ssl_mode") === "verify-ca")
    problems.push(`${where}: ssl_mode is verify-ca; expected none, require or verify-full`);
  return problems;
}

/** The block of MongoDB's settings; empty where it isn't shown. */
export function settingsOf(source: StateObject): Readonly<Record<string, unknown>> {
  const blocks = source.value("mongodb_settings");
  return Array.isArray(blocks) && typeof blocks[0] === "object" && blocks[0] !== null ? blocks[0] : {};
}

/** The module writes through one server with one login: endpoints that differ would be changed. */
function targetProblems(targets: readonly StateObject[]): string[] {
  return ["server_name", "port", "username", "ssl_mode", "certificate_arn"].flatMap((name) => {
    const values = new Map(targets.map((each) => [JSON.stringify(each.value(name) ?? null), each]));
    if (values.size <= 1) return [];
    const [first, second] = [...values.values()];
    return [
      `${first!.address.text} and ${second!.address.text}: ${name} differs; all target endpoints must reach one cluster in one way`,
    ];
  });
}

function cannot(problems: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "adopt the old set-up",
    expected: "one MongoDB source and one instance, with tasks to one DocumentDB cluster",
    got:
      problems.length === 1
        ? problems[0]!
        : `${problems.length} reasons against it:\n  - ${problems.join("\n  - ")}\n`,
    wayOut:
      "mend what is named in the old root and apply it, or leave those tasks where they are; nothing was written",
  });
}
