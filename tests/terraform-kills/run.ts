/** What `roundtrip apply` does with Terraform, as a process of its own: a plan, then its apply. Faults kill it, or its Terraform. */
import { AwsExistingObjects } from "../../adapters/aws/existing-objects.ts";
import { TerraformInfrastructure, type TerraformOptions } from "../../adapters/terraform/infrastructure.ts";
import { RecoveringInfrastructure } from "../../adapters/terraform/recovering.ts";

// On a leash: it ends when the test that started it is gone.
process.stdin.on("end", () => process.exit(137));
process.stdin.resume();

const options = JSON.parse(process.env.TEST_TERRAFORM ?? "{}") as TerraformOptions;
const onProgress = (line: string) => void process.stderr.write(`${line}\n`);
using infrastructure = new RecoveringInfrastructure(new TerraformInfrastructure({ ...options, onProgress }), {
  directory: options.directory,
  existing: new AwsExistingObjects(),
  onProgress,
});
try {
  await infrastructure.plan();
  await infrastructure.apply();
  process.exitCode = 0;
} catch (error) {
  process.stderr.write(`✗ ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.stdin.pause();
