import { counted } from "../plan/words.ts";
import type { Variables } from "./root.ts";
import type { OldSetup } from "./setup.ts";

export interface ReadmeInput {
  readonly setup: OldSetup;
  readonly environment: string;
  readonly sameState: boolean;
  readonly imported: readonly string[];
  readonly importedCount: number;
  readonly movedCount: number;
  readonly variables: Variables;
  readonly stays: readonly string[];
  readonly notes: readonly string[];
  readonly losses: readonly string[];
}

/** The page beside the new root: the steps in order, and how to see that each went well. */
export function readmeText(input: ReadmeInput): string {
  const { setup, environment } = input;
  const count = `${counted(setup.tasks.length, "task")}, ${counted(setup.targets.length + 1, "endpoint")}`;
  return [
    `# Taking over the replication of ${environment}`,
    "",
    `Written by \`roundtrip adopt\` from the old root's state: ${count}. No task is stopped, loaded again or replaced by these steps;`,
    "each of them can be left for another day, but nobody may apply the old root between the first and the last.",
    "",
    ...(input.sameState ? sameStateSteps(input) : ownStateSteps(input)),
    "",
    ...section("Not carried over", "Accepted when this was written:", input.losses),
    ...section("Worth knowing", "", input.notes),
    ...section(
      "Stays in the old root",
      "Not part of the replication; nothing here touches it:",
      input.stays.map((each) => `\`${each}\``),
    ),
    "## Later",
    "",
    "- `roundtrip plan` and `apply` read `tasks.yaml` in the repository's root: move it there, and `tasks_file` in `main.tf` with it.",
    `- Before the first \`roundtrip plan\`: \`roundtrip adopt --record --env ${environment}\` writes down that this is what stands.`,
    "- A task keeps the rules and settings DMS has (`adopted.json`) until it is changed in `tasks.yaml`; the change goes through",
    "  `roundtrip apply`, which pauses it first.",
    "- Terraform doesn't know the endpoints' passwords (`imported_login`, `imported_username`). To change one, pause the tasks, give",
    "  the source endpoint a secret, take `imported_username` out of `main.tf`, and apply.",
    "- `import.tf`, `moved.tf` and `removed.tf` have done their work once they are applied, and may go.",
    "",
  ].join("\n");
}

function ownStateSteps({ importedCount, variables, imported }: ReadmeInput): string[] {
  return [
    "1. Put a `backend` block for a state of its own here, or run it with a local one first.",
    ...secretStep(variables),
    "3. Look at the first plan:",
    "",
    ...planAndCheck,
    "",
    `   Expected: ${counted(importedCount, "object")} imported, none created, replaced or deleted. Exit code 3 names what is in the way.`,
    "   Terraform may show tasks and endpoints as changed in place: what the check calls harmless reaches no task.",
    "4. `terraform apply plan.bin`, then `terraform plan` once more: no changes.",
    "5. In the **old** root, let go of what was taken over: copy `forget/removed.tf` there, and take the resources it names out of the",
    "   old code (or the module call, when the module holds nothing else). `terraform plan` must show nothing to destroy; check it by",
    "   `roundtrip adopt --check` as above, then apply.",
    "",
    "   Terraform older than 1.7 has no `removed` blocks; there:",
    "",
    ...imported.map((each) => `       terraform state rm '${each}'`),
    "",
    "How to see that nothing happened to replication: `roundtrip status`, or in DMS's console: each task has the status, the ARN and the",
    "start date it had before.",
  ];
}

function sameStateSteps({ importedCount, movedCount, variables, imported }: ReadmeInput): string[] {
  return [
    "1. Copy the files of this folder (without this page) into the old root, and take the old resources out of its code:",
    "",
    ...imported.map((each) => `   - \`${each}\``),
    "   - everything `moved.tf` names under `from`",
    "",
    "   A module call goes as a whole only when the module holds nothing else; what else it holds is listed below.",
    ...secretStep(variables),
    "3. Look at the first plan:",
    "",
    ...planAndCheck,
    "",
    `   Expected: ${counted(movedCount, "object")} moved, ${importedCount} let go of and imported (their state holds what the new code must not`,
    "   change, a password or start_replication_task), none created, replaced or deleted. Exit code 3 names what is in the way.",
    "4. `terraform apply plan.bin`, then `terraform plan` once more: no changes.",
    "",
    "How to see that nothing happened to replication: `roundtrip status`, or in DMS's console: each task has the status, the ARN and the",
    "start date it had before.",
  ];
}

const planAndCheck = [
  "       terraform init",
  "       terraform plan -out=plan.bin",
  "       terraform show -json plan.bin > plan.json",
  "       roundtrip adopt --check plan.json",
  "       rm plan.json        # it holds secrets in clear",
];

function secretStep(variables: Variables): string[] {
  const open = [...variables].filter(([, each]) => each.default === undefined);
  const lines = open.map(([name, { description }]) => `   - \`${name}\`: ${description}`);
  return lines.length > 0
    ? [
        "2. Give these variables a value (`terraform.tfvars`, or `TF_VAR_…` for the sensitive ones):",
        "",
        ...lines,
        "",
      ]
    : ["2. Variables have their values from the state; see `variables.tf`."];
}

function section(title: string, lead: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`## ${title}`, "", ...(lead === "" ? [] : [lead, ""]), ...lines.map((line) => `- ${line}`), ""];
}
