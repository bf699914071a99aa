import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createParameters } from "../../adapters/aws/parameters.ts";
import { readApplied } from "../../adapters/live/applied.ts";
import { LockHolders } from "../../adapters/state/lock-holders.ts";
import { exitCodes, RoundtripError } from "../../core/errors.ts";
import { assertLookedAt, type FirstPlan, readFirstPlan } from "../../core/plan/first-plan.ts";
import { counted } from "../../core/plan/words.ts";
import type { InfrastructureChange } from "../../core/ports.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { interruptSignal } from "../../runbooks/engine/execution.ts";
import { type Command, usageError } from "./command.ts";
import { environmentParameter, loadEnvironment } from "./environment.ts";
import { withoutDeadLock } from "./first-apply-lock.ts";
import { assertCheckedOut, headRevision } from "./head.ts";
import { environmentNameOf } from "./named-environment.ts";
import { recovering, terraformFor } from "./terraform.ts";

type Values = Readonly<Record<string, unknown>>;

export const firstApplyCommand: Command = {
  name: "roundtrip first-apply",
  summary:
    "Makes an environment's AWS side for the first time; run again after a kill, it takes over what was made.",
  usage: "roundtrip first-apply --env NAME --backend-config bucket=NAME … [--digest DIGEST] [--json]",
  options: {
    env: { type: "string" },
    digest: { type: "string" },
    unreviewed: { type: "boolean" },
    terraform: { type: "string", default: "terraform/stack" },
    "var-file": { type: "string", multiple: true },
    "backend-config": { type: "string", multiple: true },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["--env NAME", "dev, qa or prod"],
    [
      "--digest DIGEST",
      "applies the plan that shows this digest; without it, the plan is shown and that is all",
    ],
    ["--unreviewed", "applies without --digest; in dev only, and nothing that deletes or replaces an object"],
    ["--terraform DIR", "the root module; terraform/stack"],
    ["--var-file FILE", "its variables; terraform/environments/<environment>.tfvars; repeat for several"],
    ["--backend-config name=value", "where its state is: bucket, key, region; repeat for each"],
    ["--json", "one JSON document on stdout"],
  ],
  examples: [
    "roundtrip first-apply --env dev --backend-config bucket=acme-states --backend-config key=dev.tfstate --backend-config region=eu-west-1",
    "roundtrip first-apply --env dev --backend-config bucket=… --backend-config key=… --backend-config region=… --digest sha256:4f…",
  ],
  exitCodes: [
    ["0", "the plan was shown; or it was applied, whole"],
    ["2", "the command line is wrong"],
    [
      "3",
      "refused, and nothing was changed: applied already, another plan than the digest's, a lock of another run",
    ],
    ["20", "interrupted; run it again: it goes on"],
    ["other", "see docs/exit-codes.md; when the cause is mended, run it again: it goes on"],
  ],
  run,
};

async function run(values: Values, positionals: readonly string[]): Promise<number> {
  const environment = environmentOf(values, positionals);
  const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (!region) throw usageError("know the region", "no AWS_REGION", "set AWS_REGION to the environment's");
  const bucket = stateBucketOf(values);
  const wantsApply = values.digest !== undefined || values.unreviewed === true;
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  await assertNeverApplied(environment);
  const head = await headRevision("HEAD", "tasks.yaml");
  const dirty = await assertCheckedOut(head).catch((error: RoundtripError) => error);
  if (dirty && wantsApply) throw dirty;

  const signal = interruptSignal();
  const store = createObjectStore({ bucket, region });
  const onLock = new LockHolders(store);
  using terraform = terraformFor({ environment }, values, say, undefined, {
    onLock: (holder) => onLock.begin(holder),
  });
  using infrastructure = recovering(terraform, values, region, say);
  const locked = { terraform, store, directory: String(values.terraform), say };
  const changes = await withoutDeadLock(locked, () => infrastructure.plan(signal));
  const plan = readFirstPlan(infrastructure.planText, { environment, tree: head.tree, region });
  const shown = { environment, commit: head.commit, changes, plan, digest: dirty ? undefined : plan.digest };
  if (!wantsApply) {
    tell(
      values,
      shown,
      false,
      dirty ? `no digest, because files here are not the commit's: ${dirty.got}` : "",
    );
    return exitCodes.ok;
  }
  assertLookedAt(plan, environment, values.digest as string | undefined);
  await infrastructure.apply(signal);
  tell(values, shown, true, nextSteps(environment));
  return exitCodes.ok;
}

function environmentOf(values: Values, positionals: readonly string[]): EnvironmentName {
  if (positionals.length > 0)
    throw usageError("take options only", positionals.join(" "), "roundtrip first-apply --env NAME");
  const { digest } = values;
  if (typeof digest === "string" && !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw usageError(
      "take --digest",
      digest,
      "the digest as this command shows it: sha256: and 64 hex digits",
    );
  if (digest !== undefined && values.unreviewed)
    throw usageError("choose one", "--digest and --unreviewed", "give --digest when there was a review");
  return environmentNameOf(values.env);
}

/** Who starts Terraform is written down beside its state, so that a lock left behind can be laid to its run. */
function stateBucketOf(values: Values): string {
  const settings = (values["backend-config"] as readonly string[] | undefined) ?? [];
  const bucket = settings.find((each) => each.startsWith("bucket="))?.slice("bucket=".length);
  if (bucket) return bucket;
  throw usageError(
    "know the bucket of the states",
    "no --backend-config bucket=…",
    "add bucket, key and region as terraform/bootstrap made them, each by a --backend-config",
  );
}

/** From its first `roundtrip apply` on, an environment is changed by reviewed plans alone. */
async function assertNeverApplied(environment: EnvironmentName): Promise<void> {
  const parameters = createParameters();
  if ((await parameters.get(environmentParameter(environment))) === undefined) return;
  const published = await loadEnvironment(parameters, environment);
  const applied = await readApplied(
    createObjectStore({ bucket: published.bucket, region: published.region }),
    environment,
  );
  if (!applied) return;
  const { commit, appliedAt, by } = applied.document;
  throw new RoundtripError({
    kind: "refused",
    what: `make ${environment} for the first time`,
    expected: "an environment to which nothing was applied yet",
    got: `commit ${commit}, applied ${appliedAt} by ${by.actor}`,
    wayOut: `change it by a pull request, or with roundtrip plan and roundtrip apply --env ${environment}; they take over what a killed run left, too`,
  });
}

interface Shown {
  readonly environment: EnvironmentName;
  readonly commit: string;
  readonly changes: readonly InfrastructureChange[];
  readonly plan: FirstPlan;
  readonly digest: string | undefined;
}

function tell(values: Values, shown: Shown, isApplied: boolean, more: string): void {
  const { environment, commit, changes, digest } = shown;
  if (values.json) {
    const list = changes.map(({ action, address }) => ({ action, address }));
    process.stdout.write(
      `${JSON.stringify({ environment, commit, applied: isApplied, digest: digest ?? null, changes: list })}\n`,
    );
    return;
  }
  const text = isApplied
    ? `${environment} is made: ${totals(changes)}.\n\n${more}\n`
    : `${table(changes)}\n${environment} at commit ${commit}: ${totals(changes)}.\n${digest ? `digest ${digest}\n\nNothing was changed. The same command with --digest ${digest} makes it.` : more}\n`;
  process.stdout.write(text);
}

function totals(changes: readonly InfrastructureChange[]): string {
  if (changes.length === 0) return "nothing left to do";
  return (["create", "update", "replace", "delete"] as const)
    .map((action) => [action, changes.filter((change) => change.action === action).length] as const)
    .filter(([, count]) => count > 0)
    .map(([action, count]) => `${counted(count, "object")} to ${action}`)
    .join(", ");
}

/** What is made, by type; each that is changed, replaced or deleted by its address. */
function table(changes: readonly InfrastructureChange[]): string {
  const types = Map.groupBy(
    changes.filter(({ action }) => action === "create"),
    ({ type }) => type,
  );
  const made = [...types]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([type, all]) => `  ${String(all.length).padStart(4)}  ${type}`);
  const others = changes
    .filter(({ action }) => action !== "create")
    .map(({ action, address, attributes }) => `  ${action} ${address} (${attributes.join(", ")})`);
  return [...made, ...others, ""].join("\n");
}

function nextSteps(environment: EnvironmentName): string {
  return [
    "Next: the logins of people and programs (docs/users-and-secrets.md), then",
    `  roundtrip preflight --env ${environment}`,
    `  roundtrip plan --env ${environment} --head HEAD`,
    "and the plan's digest to roundtrip apply, which starts the tasks.",
  ].join("\n");
}
