/** `roundtrip apply` as its own process, with the infrastructure of the tests in Terraform's place. */
import { applyCommand } from "../../scripts/roundtrip/apply.ts";
import { runCommand } from "../../scripts/roundtrip/command.ts";
import { DmsInfrastructure, type DmsInfrastructureOptions } from "../support/dms-infrastructure.ts";

// On a leash: it ends when the test that started it is gone.
process.stdin.on("end", () => process.exit(137));
process.stdin.resume();

const options = JSON.parse(process.env.TEST_INFRASTRUCTURE ?? "{}") as DmsInfrastructureOptions;
process.exit(
  await runCommand(
    applyCommand(() => new DmsInfrastructure(options)),
    process.argv.slice(2),
  ),
);
