import { runService } from "../runtime/service.ts";
import { runRestoreBackup } from "./run.ts";

await runService(
  {
    name: "restore-backup",
    summary:
      "Previews the restore that runbook restore-backup asked for, and restores it once its preview was confirmed. MONGORESTORE names the program; default: mongorestore on PATH.",
    examples: ["MONGORESTORE=/opt/mongodb-tools/bin/mongorestore roundtrip-worker restore-backup"],
  },
  (service) =>
    runRestoreBackup({
      service,
      executable: process.env.MONGORESTORE || "mongorestore",
      privateDirectory: process.env.RUNTIME_DIRECTORY ?? service.stateDirectory,
    }),
);
