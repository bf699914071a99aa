import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runMonitorReplication } from "./run.ts";

await runService(
  {
    name: "monitor-replication",
    summary:
      "Waits until the fence is in the log and MongoDB's dump is complete, then starts restore.service and ends.",
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-monitor");
    await runMonitorReplication(service, databases);
  },
);
