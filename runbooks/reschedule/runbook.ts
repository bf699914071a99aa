import { scheduleParameter } from "../../core/actions/parameter.ts";
import { calendarsOf, parseSchedule } from "../../core/backup/schedule.ts";
import type { Operation } from "../engine/runbook.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

const readSchedule: OperationStep = {
  name: "read-schedule",
  what: "read the schedule as cron does, before anything is changed",
  undo: "nothing was changed",
  every: true,
  plan: () => [{ call: "read the schedule", target: "cron" }],
  run: async ({ inputs: { schedule = "" } }) => {
    if (schedule === "default") return { note: "the environment's own" };
    return { note: `systemd's calendar: ${calendarsOf(parseSchedule(schedule)).join(" and ")}` };
  },
};

const setSchedule: OperationStep = {
  name: "set-schedule",
  what: "keep the schedule in the bucket and give it to the timer on the operations host",
  undo: "run this again with schedule=default: Terraform's backup_schedule holds again",
  every: true,
  plan: (context) => [
    context.plannedAction("set-backup-schedule", { schedule: context.inputs.schedule ?? "" }),
  ],
  run: async (context) => {
    const { checks, data } = await context.action("set-backup-schedule", {
      schedule: context.inputs.schedule ?? "",
    });
    const next = Array.isArray(data.next) ? data.next.map(String) : [];
    context.say(`  the next backups (UTC): ${next.join(", ")}`);
    return {
      checks,
      data,
      note: `${String(data.schedule)} (${String(data.from)}); next: ${next.join(", ")}`,
    };
  },
};

export const reschedule: Operation = {
  kind: "operation",
  name: "reschedule",
  summary:
    "Give the backups of MongoDB another schedule, without Terraform; it holds until it is given back.",
  inputs: [
    {
      name: "schedule",
      description: "five fields of cron in UTC, like */5 * * * *, or default for Terraform's backup_schedule",
      pattern: new RegExp(scheduleParameter.allowedPattern ?? ""),
    },
  ],
  steps: [readSchedule, operationsHostReady, setSchedule, operationsHostAsBefore],
  next: "roundtrip backups list, once the first of them is due",
};
