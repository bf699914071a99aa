/** What proves the holder of a state's lock dead, at the ports. */
import { expect, test } from "bun:test";
import { type LockHolder, type StateLockInfo, thisHolder } from "../../adapters/terraform/lock-holder.ts";
import type { RoundtripError } from "../../core/errors.ts";
import type { OperationContext } from "../engine/runbook.ts";
import { freeStateLock, maker } from "./state-lock.ts";

const started = "2026-11-21T13:00:00.000Z";
const lock: StateLockInfo = {
  id: "lock-1",
  who: "ana@runner",
  created: "2026-11-21 13:00:05.123456789 +0000 UTC",
  operation: "OperationTypeApply",
};
const holder: LockHolder = {
  ...thisHolder({
    operation: "OperationTypeApply",
    directory: "/nowhere",
    program: "terraform",
    lockTimeoutSeconds: 60,
  }),
  who: "ana@runner",
  isBound: true,
  pid: 1,
  startedAt: started,
};

test("a lock is laid to the command that was started just before it, by the same user, host and operation", () => {
  expect(maker(lock, [holder])).toBe(holder);
  const strangers: readonly Partial<LockHolder>[] = [
    { who: "ben@runner" },
    { operation: "OperationTypePlan" },
    { startedAt: "2026-11-21T13:00:06.000Z" },
    { startedAt: "2026-11-21T12:57:00.000Z" },
    { endedAt: "2026-11-21T13:00:04.000Z" },
    { endedAt: "2026-11-21T13:02:00.000Z", wasRefused: true },
  ];
  for (const stranger of strangers) expect(maker(lock, [{ ...holder, ...stranger }])).toBeUndefined();
  expect(maker({ ...lock, created: "unknown" }, [holder])).toBeUndefined();
});

/** Runs the step on these records; `locks` are what each look at the state finds, one after the other. */
async function run(holders: readonly LockHolder[], locks: readonly (StateLockInfo | undefined)[] = [lock]) {
  const [freed, slept]: [string[], number[]] = [[], []];
  let looks = 0;
  const step = freeStateLock({
    locks: {
      stateLock: async () => (freed.length > 0 ? undefined : locks[Math.min(looks++, locks.length - 1)]),
      freeStateLock: async (id) => void freed.push(id),
    },
    holders: { startedBetween: async () => [...holders] },
    silenceSeconds: 675,
  });
  const context = {
    say: () => {},
    signal: new AbortController().signal,
    clock: { sleep: async (ms: number) => void slept.push(ms) },
  } as unknown as OperationContext;
  const outcome = await step.run(context).catch((error: RoundtripError) => error);
  return { freed, slept, said: outcome instanceof Error ? outcome.message : outcome.note };
}

test("a holder whose program still runs on this machine is refused", async () => {
  const self = thisHolder(holder);
  const child = Bun.spawn(["sleep", "60"]);
  try {
    const stat = await Bun.file(`/proc/${child.pid}/stat`).text();
    const pidStarted = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const living = { ...self, who: holder.who, startedAt: started, pid: child.pid, pidStarted };
    expect(await run([living])).toMatchObject({
      freed: [],
      said: expect.stringContaining(`process ${child.pid}, which started Terraform`),
    });
    // The number was used again: another process.
    expect((await run([{ ...living, pidStarted: "1" }])).freed).toEqual(["lock-1"]);
  } finally {
    child.kill();
    await child.exited;
  }
});

test("on another machine the lock is freed after the silence, and only when it is still the same lock", async () => {
  const elsewhere = { ...holder, machine: "another" };
  expect(await run([elsewhere])).toMatchObject({ freed: ["lock-1"], slept: [675_000] });
  expect((await run([elsewhere], [lock, { ...lock, id: "lock-2" }])).freed).toEqual([]);
  expect((await run([elsewhere], [lock, undefined])).freed).toEqual([]);
  // Started where nothing ends Terraform when its run is killed.
  const { isBound: _, ...unbound } = elsewhere;
  expect(await run([unbound])).toMatchObject({ freed: [], said: expect.stringContaining("may go on") });
});

test("no lock is nothing to do; one nobody wrote down is refused", async () => {
  expect(await run([], [undefined])).toMatchObject({ freed: [], said: "Terraform's state is not locked" });
  expect(await run([])).toMatchObject({ freed: [], said: expect.stringContaining("no such run") });
});
