import { exitCodeOf } from "../core/errors.ts";
import { ensureDatabaseTools } from "./setup/database-tools.ts";
import { say } from "./setup/run.ts";

/** Gets what `make drill` and `make test` need beyond the npm packages. Safe to interrupt and to run again. */
try {
  say("Roundtrip: set-up");
  const folder = await ensureDatabaseTools();
  say(`  MongoDB Database Tools: ${folder || "from PATH"}`);
} catch (error) {
  say(`set-up failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(exitCodeOf(error));
}
