import { exitCodes } from "../core/errors.ts";
import { productCommit, productVersion } from "../core/version.ts";
import { type Command, runCommand } from "./roundtrip/command.ts";

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import("./roundtrip/validate.ts")).validateCommand,
  plan: async () => (await import("./roundtrip/plan.ts")).planCommand,
  apply: async () => {
    const [{ applyCommand }, { recoveringTerraformFor }] = await Promise.all([
      import("./roundtrip/apply.ts"),
      import("./roundtrip/terraform.ts"),
    ]);
    return applyCommand(recoveringTerraformFor);
  },
  "first-apply": async () => (await import("./roundtrip/first-apply.ts")).firstApplyCommand,
  unlock: async () => (await import("./roundtrip/unlock.ts")).unlockCommand,
  drift: async () => (await import("./roundtrip/drift.ts")).driftCommand,
  preflight: async () => (await import("./roundtrip/preflight.ts")).preflightCommand,
  readiness: async () => (await import("./roundtrip/readiness.ts")).readinessCommand,
  adopt: async () => (await import("./roundtrip/adopt.ts")).adoptCommand,
  tasks: async () => (await import("./roundtrip/tasks.ts")).tasksCommand,
  runbook: async () => (await import("./roundtrip/runbook.ts")).runbookCommand,
  status: async () => (await import("./roundtrip/status.ts")).statusCommand,
  backups: async () => (await import("./roundtrip/backups.ts")).backupsCommand,
  logs: async () => (await import("./roundtrip/logs.ts")).logsCommand,
};

const help = `Roundtrip: MongoDB to Amazon DocumentDB and back, without losing a write.

Usage: roundtrip <command> [options]

Commands
  validate  what is wrong with tasks.yaml, with line and fix
  plan      what a change of tasks.yaml will do
  apply     carry out a reviewed plan, and prove that it arrived
  first-apply  make an environment's AWS side for the first time
  unlock    free the lease and Terraform's lock of a run that is proved dead
  drift     what is not as it was applied: git, Terraform, DMS, both databases
  preflight whether a new environment is ready, each missing thing with its fix
  readiness whether a failback would succeed now
  adopt     take over an old set-up: its Terraform state, its tasks
  tasks     edit tasks.yaml, import the old format, show what DMS gets
  runbook   run a failback runbook: failback-start, -restore, -clean, -resume, -reopen, -abort
  status    where an environment stands
  backups   backups of MongoDB: list, describe, prune
  logs      the journal of a service on its host

roundtrip <command> --help says more, with examples and exit codes; roundtrip --version says which release this is.
`;

const [name = "", ...args] = process.argv.slice(2);
if (name === "--version") {
  process.stdout.write(`roundtrip ${productVersion()} (${productCommit()})\n`);
  process.exit(exitCodes.ok);
}
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (load) process.exit(await runCommand(await load(), args));
const askedForHelp = name === "" || name === "--help" || name === "help";
(askedForHelp ? process.stdout : process.stderr).write(
  askedForHelp ? help : `roundtrip: no command ${name}\n\n${help}`,
);
process.exit(askedForHelp ? exitCodes.ok : exitCodes.usage);
