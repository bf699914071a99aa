import { runService } from "../runtime/service.ts";
import { applySchedule, hostTimers } from "./apply.ts";

await runService(
  {
    name: "backup-schedule",
    summary:
      "Brings the timer of backups to the schedule that holds: what runbook reschedule set, else the environment's. Ends at once.",
    examples: ["roundtrip-worker backup-schedule"],
  },
  async (service) => {
    await applySchedule(service, hostTimers(process.env.ROUNDTRIP_CONFIG));
  },
);
