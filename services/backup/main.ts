import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runBackup } from "./run.ts";

await runService(
  {
    name: "backup",
    summary:
      "Dumps MongoDB before anything is applied to it, then DocumentDB once it has drained. Ends when both are complete. MONGODUMP names the program; default: mongodump on PATH.",
    examples: ["MONGODUMP=/opt/mongodb-tools/bin/mongodump roundtrip-worker backup"],
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-backup");
    await runBackup({
      service,
      databases,
      executable: process.env.MONGODUMP || "mongodump",
      directory: process.env.RUNTIME_DIRECTORY ?? service.stateDirectory,
    });
  },
);
