import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { runMonitorRestore } from "./run.ts";

await runService(
  {
    name: "monitor-restore",
    summary:
      "Waits for restore's verdict; after PROVEN it stops capture, starts clean.service and monitor-clean.service, and ends.",
  },
  async (service) => {
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-monitor");
    await runMonitorRestore(service, databases);
  },
);
