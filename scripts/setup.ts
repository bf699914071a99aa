import { exitCodeOf } from "../core/errors.ts";
import { ensureDatabaseTools } from "./setup/database-tools.ts";
import { ensureDebianPackages } from "./setup/debian.ts";
import { ensureKafka } from "./setup/kafka.ts";
import { ensurePictureTools } from "./setup/picture-tools.ts";
import { ensurePython } from "./setup/python.ts";
import { say } from "./setup/run.ts";
import { ensureTerraformLinters } from "./setup/terraform-linters.ts";
import { ensureWorkflowTools } from "./setup/workflow-tools.ts";

/**
 * Gets what `make drill` needs beyond the npm packages. `--all`: also what every test suite needs; `--tools` leaves out
 * Terraform's linters, which compile for minutes, and `--terraform-linters` gets them alone. Safe to interrupt and to
 * run again.
 */
const wants = (...options: string[]) => options.some((option) => process.argv.includes(option));

try {
  say("Roundtrip: set-up");
  say(`  MongoDB Database Tools: ${await ensureDatabaseTools()}`);
  // While one compiles, the other waits for the network.
  const done = await Promise.allSettled([
    wants("--all", "--terraform-linters") ? ensureLinters() : undefined,
    wants("--all", "--tools") ? ensureTools() : undefined,
  ]);
  for (const each of done) if (each.status === "rejected") throw each.reason;
} catch (error) {
  say(`set-up failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(exitCodeOf(error));
}

async function ensureLinters(): Promise<void> {
  say(`  Linters of Terraform: ${await ensureTerraformLinters()}`);
}

async function ensureTools(): Promise<void> {
  say(`  Python judges: ${await ensurePython()}`);
  say(`  Tools for workflows: ${await ensureWorkflowTools()}`);
  say(`  What draws pictures: ${await ensurePictureTools()}`);
  await ensureDebianPackages();
  // By one of those packages.
  say(`  Kafka for its tests: ${await ensureKafka()}`);
}
