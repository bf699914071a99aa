import { expect, test } from "bun:test";
import fc from "fast-check";
import { backupId } from "./layout.ts";
import { type PrunedBackup, pruningOf } from "./pruning.ts";

const backups: fc.Arbitrary<PrunedBackup[]> = fc
  .uniqueArray(fc.record({ day: fc.integer({ min: 1, max: 60 }), isProven: fc.boolean() }), {
    selector: ({ day }) => day,
    maxLength: 20,
  })
  .map((days) =>
    days.map(({ day, isProven }) => {
      const startedAt = new Date(Date.UTC(2026, 0, day));
      return { id: backupId(startedAt), startedAt: startedAt.toISOString(), isProven };
    }),
  );

test("whatever is asked, the newest proved backup and the newest of all stay, and nothing younger goes", () => {
  fc.assert(
    fc.property(backups, fc.integer({ min: 1, max: 70 }), (all, day) => {
      const before = new Date(Date.UTC(2026, 0, day));
      const { remove, spared } = pruningOf(all, before);
      const ids = all.map(({ id }) => id).sort();
      const proven = all.filter(({ isProven }) => isProven).map(({ id }) => id);
      expect(remove).not.toContain(ids.at(-1));
      expect(remove).not.toContain(proven.sort().at(-1));
      const old = all.filter(({ startedAt }) => startedAt < before.toISOString()).map(({ id }) => id);
      expect([...remove, ...spared.map(({ id }) => id)].sort()).toEqual(old.sort());
    }),
  );
});

test("the reasons are said", () => {
  const of = (day: number, isProven: boolean) => {
    const startedAt = new Date(Date.UTC(2026, 0, day));
    return { id: `2026-01-0${day}`, startedAt: startedAt.toISOString(), isProven };
  };
  expect(pruningOf([of(1, true), of(2, true), of(3, false), of(4, false)], new Date("2026-02-01"))).toEqual({
    remove: ["2026-01-01", "2026-01-03"],
    spared: [
      { id: "2026-01-02", why: "the newest that is proved" },
      { id: "2026-01-04", why: "the newest of all" },
    ],
  });
});
