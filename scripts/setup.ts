import { exitCodeOf } from "../core/errors.ts";
import { ensureDatabaseTools } from "./setup/database-tools.ts";
import { ensureDebianPackages } from "./setup/debian.ts";
import { ensurePython } from "./setup/python.ts";
import { say } from "./setup/run.ts";
import { ensureTerraformLinters } from "./setup/terraform-linters.ts";
import { ensureWorkflowTools } from "./setup/workflow-tools.ts";

/**
 * Gets what `make drill` needs beyond the npm packages; with `--all` also what every test suite needs.
 * Safe to interrupt and to run again.
 */
try {
  say("Roundtrip: set-up");
  say(`  MongoDB Database Tools: ${await ensureDatabaseTools()}`);
  if (process.argv.includes("--all")) {
    // Compiling takes minutes: while it does, the others wait for the network.
    const done = await Promise.allSettled([
      ensureTerraformLinters().then((tools) => say(`  Linters of Terraform: ${tools}`)),
      ensureTheOthers(),
    ]);
    for (const each of done) if (each.status === "rejected") throw each.reason;
  }
} catch (error) {
  say(`set-up failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(exitCodeOf(error));
}

async function ensureTheOthers(): Promise<void> {
  say(`  Python judges: ${await ensurePython()}`);
  say(`  Tools for workflows: ${await ensureWorkflowTools()}`);
  await ensureDebianPackages();
}
