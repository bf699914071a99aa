import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runClean } from "./run.ts";

await runService(
  {
    name: "clean",
    summary:
      "After PROVEN: checks both sides again, reopens MongoDB, archives the failback, deletes log and token, switches change streams off. Refuses without PROVEN.",
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-clean");
    await runClean(service, databases);
  },
);
