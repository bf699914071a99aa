import { expect, test } from "bun:test";
import { effectiveSchedule } from "./settings.ts";

const set = { version: 1, setAt: "2026-11-21T00:00:00.000Z" } as const;
const terraform = { backups: { schedule: "30 2 * * *" } };

test("a schedule that was set goes before Terraform's, and Terraform's before midnight; which one is said", () => {
  expect(effectiveSchedule(terraform, { ...set, schedule: "*/5 * * * *" })).toMatchObject({
    schedule: { text: "*/5 * * * *" },
    from: expect.stringContaining("reschedule at 2026-11-21"),
  });
  expect(effectiveSchedule(terraform, set)).toMatchObject({
    schedule: { text: "30 2 * * *" },
    from: "Terraform's backup_schedule",
  });
  expect(effectiveSchedule({}, undefined)).toMatchObject({ schedule: { text: "0 0 * * *" } });
});
