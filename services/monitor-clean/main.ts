import { createInstances } from "../../adapters/aws/instances.ts";
import { runService } from "../runtime/service.ts";
import { runMonitorClean } from "./run.ts";

await runService(
  {
    name: "monitor-clean",
    summary: "Waits until clean and backup are done, then takes stop protection off this EC2 and stops it.",
  },
  async (service) => {
    const { region } = service.environment;
    await runMonitorClean(service, createInstances({ region }));
  },
);
