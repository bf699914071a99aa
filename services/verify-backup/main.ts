import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runVerifyBackup } from "./run.ts";

await runService(
  {
    name: "verify-backup",
    summary:
      "Verifies the backup a person asked for, or the newest one once it is due: the archive's hash, everything in it, and a restore into the scratch server. Does nothing when nothing is due. MONGORESTORE names the program; default: mongorestore on PATH.",
    examples: ["MONGORESTORE=/opt/mongodb-tools/bin/mongorestore roundtrip-worker verify-backup"],
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-verify-backup");
    await runVerifyBackup({
      service,
      databases,
      executable: process.env.MONGORESTORE || "mongorestore",
      directory: process.env.RUNTIME_DIRECTORY ?? service.stateDirectory,
    });
  },
);
