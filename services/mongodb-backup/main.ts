import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runMongodbBackup } from "./run.ts";

await runService(
  {
    name: "mongodb-backup",
    summary:
      "Backs the whole replica set up: mongodump's archive with its oplog, compressed, hashed and uploaded as it comes; the manifest last. Ends when the backup is complete. MONGODUMP names the program; default: mongodump on PATH.",
    examples: ["MONGODUMP=/opt/mongodb-tools/bin/mongodump roundtrip-worker mongodb-backup"],
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-mongodb-backup");
    await runMongodbBackup({
      service,
      databases,
      executable: process.env.MONGODUMP || "mongodump",
      directory: process.env.RUNTIME_DIRECTORY ?? service.stateDirectory,
    });
  },
);
