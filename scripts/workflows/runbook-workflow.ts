/** The workflow of a runbook, made from the runbook's own inputs. Pure text. */
import type { Operation, Runbook, RunbookInput } from "../../runbooks/engine/runbook.ts";

/** Looked up in the actions' own repositories; a new version is a pull request of Dependabot's. */
const checkout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";
const setUpTerraform = "hashicorp/setup-terraform@dfe3c3f87815947d99a8997f908cb6525fc44e9e # v4.0.1";
/** A job ends after 6 hours at the latest; a runbook that needs longer goes on when it is run again. */
const timeoutMinutes = 355;

type InputType = "boolean" | "choice" | "string";

/** What the form shows for an input: a check box, a list where its pattern is one, else a field. */
function formOf({ pattern }: RunbookInput): {
  readonly type: InputType;
  readonly options: readonly string[];
} {
  const [, alternatives] = /^\^\(([a-z-]+(?:\|[a-z-]+)+)\)\$$/.exec(pattern.source) ?? [];
  const options = alternatives?.split("|") ?? [];
  if (options.join() === "true,false") return { type: "boolean", options: [] };
  return options.length > 0 ? { type: "choice", options } : { type: "string", options: [] };
}

/** The variable that hands an input on; prefixed, because USER and the like have a meaning of their own. */
function variableOf({ name }: RunbookInput): string {
  return `RUNBOOK_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** It frees the lock of Terraform's state, too, and therefore runs Terraform as apply does: in apply's environment. */
const freesState = ({ name }: Runbook | Operation) => name === "unlock";

/** GitHub's environment. Failbacks have a gate of their own; so has what neither opens a failback nor runs Terraform. */
function gateOf(runbook: Runbook | Operation): string {
  const environment = expression("inputs.environment");
  if (freesState(runbook)) return environment;
  return `${runbook.kind === "operation" ? "operations" : "failback"}-${environment}`;
}

/** Its concurrency group, before the environment's name: everything that changes an environment beside a failback shares one. */
function queueOf(runbook: Runbook | Operation): string {
  // What frees a dead holder's lease must not wait behind a run that waits for that lease.
  if (freesState(runbook)) return "unlock";
  return runbook.kind === "operation" ? "mutations" : "failback";
}

/** Terraform and what it reads, before the job has any credentials. */
function terraformLines(runbook: Runbook | Operation): string[] {
  if (!freesState(runbook)) return [];
  return [
    `      - uses: ${setUpTerraform}`,
    "        with:",
    "          terraform_version: 1.11.4",
    "          terraform_wrapper: false",
    "      - name: What Terraform reads from dist/",
    '        run: bun scripts/terraform-files.ts --env "$RUNBOOK_ENVIRONMENT"',
    "        env:",
    `          RUNBOOK_ENVIRONMENT: ${expression("inputs.environment")}`,
  ];
}

/** The command, and the options it has beside environment and mode. */
function commandOf(runbook: Runbook | Operation): [command: string, ...options: string[]] {
  if (!freesState(runbook)) {
    const given = runbook.inputs.map((input) => `--input "${input.name}=$${variableOf(input)}"`);
    return [`runbook ${runbook.name}`, ...given];
  }
  return [
    runbook.name,
    '--backend-config "bucket=$STATE_BUCKET" --backend-config "region=$AWS_REGION"',
    '--backend-config "key=roundtrip/$RUNBOOK_ENVIRONMENT.tfstate"',
  ];
}

/** With `exec`: a cancelled job's runner signals the step's own process alone, and bash hands no signal on. */
export function runbookWorkflow(runbook: Runbook | Operation): string {
  const { name, summary, inputs } = runbook;
  const gate = gateOf(runbook);
  const [command, ...options] = commandOf(runbook);
  return [
    `# Made from runbooks/${name}/runbook.ts by scripts/generate-workflows.ts: change that, then run it.`,
    `# ${summary}`,
    `name: ${name}`,
    `run-name: ${name} in \${{ inputs.environment }}, \${{ inputs.mode }}`,
    "",
    "permissions: {}",
    "",
    "on:",
    "  workflow_dispatch:",
    "    inputs:",
    ...fixedInputs,
    ...inputs.flatMap(inputLines),
    "",
    "jobs:",
    "  run:",
    `    name: ${name}`,
    "    runs-on: ubuntu-24.04",
    `    timeout-minutes: ${timeoutMinutes}`,
    `    environment: ${gate}`,
    "    concurrency:",
    `      group: ${queueOf(runbook)}-\${{ inputs.environment }}`,
    "      queue: max",
    "      cancel-in-progress: false",
    "    permissions:",
    "      contents: read # the programs, and tasks.yaml",
    "      id-token: write # a role of AWS for this job, by OIDC",
    "      actions: read # who approved, for the journal",
    "    steps:",
    `      - uses: ${checkout}`,
    "        with:",
    "          persist-credentials: false",
    "      - uses: ./.github/actions/set-up",
    ...terraformLines(runbook),
    "      - uses: ./.github/actions/sign-in",
    "        with:",
    `          role: ${expression("vars.AWS_ROLE")}`,
    `          region: ${expression("vars.AWS_REGION")}`,
    `          session-seconds: ${expression("vars.AWS_SESSION_SECONDS || '3600'")}`,
    `          gate: ${gate}`,
    `          token: ${expression("github.token")}`,
    `      - name: ${name}`,
    "        run: >-",
    `          exec bun scripts/in-summary.ts ${command} --env "$RUNBOOK_ENVIRONMENT" --mode "$RUNBOOK_MODE"`,
    ...options.map((option) => `          ${option}`),
    "        env:",
    `          RUNBOOK_ENVIRONMENT: ${expression("inputs.environment")}`,
    `          RUNBOOK_MODE: ${expression("inputs.mode")}`,
    ...(freesState(runbook) ? [`          STATE_BUCKET: ${expression("vars.TERRAFORM_STATE_BUCKET")}`] : []),
    ...inputs.map((input) => `          ${variableOf(input)}: \${{ inputs.${input.name} }}`),
    "",
  ].join("\n");
}

/** What GitHub replaces when the workflow runs. */
function expression(text: string): string {
  return `\${{ ${text} }}`;
}

const fixedInputs = [
  "      environment:",
  "        description: which environment",
  "        type: choice",
  "        required: true",
  "        options: [dev, qa, prod]",
  "      mode:",
  "        description: plan shows each step with its calls and does nothing",
  "        type: choice",
  "        required: true",
  "        default: run",
  "        options: [run, plan]",
];

function inputLines(input: RunbookInput): string[] {
  const { type, options } = formOf(input);
  const { name, description } = input;
  const shown = type === "boolean" ? input.default : JSON.stringify(input.default);
  return [
    `      ${name}:`,
    `        description: ${JSON.stringify(description)}`,
    `        type: ${type}`,
    `        required: ${input.default === undefined}`,
    ...(input.default === undefined ? [] : [`        default: ${shown}`]),
    ...(options.length > 0 ? [`        options: [${options.join(", ")}]`] : []),
  ];
}
