import { expect, test } from "bun:test";
import { readJson } from "../../adapters/state/json.ts";
import { scheduleKey } from "../../core/backup/layout.ts";
import type { Timers } from "../../core/ports.ts";
import { ServiceWorld, worldEnvironment } from "../../tests/support/service-world.ts";
import { setSchedule } from "../actions/set-backup-schedule.ts";
import { applySchedule } from "./apply.ts";

/** A timer that elapses as the host's calendar says, unless the test sets a time. */
class FakeTimers implements Timers {
  readonly calendars: string[] = [];
  note = "";
  elapses: Date | undefined = new Date("2026-11-22T00:00:00.000Z");

  async reschedule(timer: string, calendars: readonly string[], note: string): Promise<boolean> {
    expect(timer).toBe("mongodb-backup.timer");
    const changed = this.calendars.join() !== calendars.join();
    this.calendars.splice(0, Number.POSITIVE_INFINITY, ...calendars);
    this.note = note;
    return changed;
  }

  async nextElapse(): Promise<Date | undefined> {
    return this.elapses;
  }
}

const set = (world: ServiceWorld, timers: Timers, schedule: string) =>
  setSchedule({ service: world.service, parameter: () => schedule }, timers);

test("without a schedule of anybody's it is midnight; applied again nothing changes", async () => {
  using world = new ServiceWorld();
  const timers = new FakeTimers();
  expect(await applySchedule(world.service, timers)).toMatchObject({ changed: true, schedule: "0 0 * * *" });
  expect(await applySchedule(world.service, timers)).toMatchObject({ changed: false });
  expect(timers.calendars).toEqual(["*-*-* 00:00:00 UTC"]);
});

test("a schedule that is set is kept, applied, and goes before Terraform's until it is given back", async () => {
  using world = new ServiceWorld({
    environment: { ...worldEnvironment, backups: { schedule: "30 2 * * *" } },
  });
  const timers = new FakeTimers();
  timers.elapses = new Date("2026-11-21T00:05:00.000Z");
  const { checks, data } = await set(world, timers, "*/5 * * * *");
  expect(checks).toMatchObject([{ ok: true, got: "2026-11-21T00:05:00.000Z" }]);
  expect(data).toMatchObject({
    next: ["2026-11-21T00:05:00.000Z", "2026-11-21T00:10:00.000Z", "2026-11-21T00:15:00.000Z"],
    from: expect.stringContaining("before Terraform's"),
  });
  expect(timers.note).toStartWith("*/5 * * * *: set by runbook reschedule");
  timers.elapses = new Date("2026-11-21T02:30:00.000Z");
  expect((await set(world, timers, "default")).data).toMatchObject({ schedule: "30 2 * * *" });
  expect(timers.calendars).toEqual(["*-*-* 02:30:00 UTC"]);
});

test("a schedule that can't be read is refused before anything is kept", async () => {
  using world = new ServiceWorld();
  const timers = new FakeTimers();
  await expect(set(world, timers, "0 25 * * *")).rejects.toMatchObject({ kind: "usage" });
  expect(await readJson(world.store, scheduleKey)).toBeUndefined();
  expect(timers.calendars).toEqual([]);
});

test("a timer that is off, or that elapses at another time, is a failure; one that is overdue is not", async () => {
  using world = new ServiceWorld();
  const timers = new FakeTimers();
  timers.elapses = undefined;
  await expect(applySchedule(world.service, timers)).rejects.toThrow("a timer that is off");
  timers.elapses = new Date("2026-11-21T03:00:00.000Z");
  await expect(applySchedule(world.service, timers)).rejects.toThrow("got 2026-11-21T03:00:00.000Z");
  timers.elapses = new Date("2026-11-20T23:55:00.000Z");
  expect(await applySchedule(world.service, timers)).toMatchObject({ schedule: "0 0 * * *" });
});
