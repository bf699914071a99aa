import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runDrTest } from "./run.ts";

await runService(
  {
    name: "dr-test",
    summary:
      "Writes data of its own to MongoDB (database roundtrip_dr_test, never another), backs it up, drops it, brings it back, compares every document, and measures RTO and RPO. MONGODUMP and MONGORESTORE name the programs; default: on PATH.",
    examples: ["roundtrip-worker dr-test"],
    exitCodes: { 13: "a document is not back as it was, or an objective is missed" },
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-dr-test");
    await runDrTest({
      service,
      databases,
      mongodump: process.env.MONGODUMP || "mongodump",
      mongorestore: process.env.MONGORESTORE || "mongorestore",
      directory: process.env.RUNTIME_DIRECTORY ?? service.stateDirectory,
    });
  },
);
