import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RoundtripError } from "../errors.ts";
import { compareTimes } from "../failback/recorded-tasks.ts";
import type { OperationTime } from "../ports.ts";
import { reaches } from "./oplog-chain.ts";
import { pointInTime, timeAfter } from "./point-in-time.ts";
import { assertRestorable, type EraBounds, restorableSpan } from "./span.ts";

const time = fc.record({ t: fc.integer({ min: 1, max: 30 }), i: fc.integer({ min: 0, max: 4 }) });
const isBefore = (one: OperationTime, other: OperationTime) => compareTimes(one, other) < 0;
const iso = (t: number) => new Date(t * 1000).toISOString().replace(".000Z", "Z");

describe("a point in time", () => {
  test("a second means every operation of it and none after", () => {
    fc.assert(
      fc.property(time, fc.integer({ min: 1, max: 30 }), (operation, second) => {
        const { limit } = pointInTime(iso(second))!;
        expect(isBefore(operation, limit)).toBe(operation.t <= second);
      }),
    );
  });

  test("an operation means it and those before it, also at the largest increment", () => {
    fc.assert(
      fc.property(time, time, (operation, wanted) => {
        const { limit } = pointInTime(`${wanted.t}:${wanted.i}`)!;
        expect(isBefore(operation, limit)).toBe(compareTimes(operation, wanted) <= 0);
      }),
    );
    expect(pointInTime("5:4294967295")!.limit).toEqual({ t: 6, i: 0 });
  });

  test("nothing is the backup itself; what is no time is refused", () => {
    expect(pointInTime("")).toBeUndefined();
    for (const text of ["2026-02-31T00:00:00Z", "2026-11-21T25:00:00Z", "yesterday", "1:99999999999", "5:"])
      expect(() => pointInTime(text)).toThrow("expected a second in UTC");
  });

  test("the archive reaches a limit exactly when nothing before the limit can still come", () => {
    fc.assert(
      fc.property(time, time, (last, limit) => {
        // Anything that may come later is after `last`: the least of these decides.
        expect(reaches(last, limit)).toBe(!isBefore(timeAfter(last), limit));
      }),
    );
    expect(reaches({ t: 9, i: 3 }, pointInTime("9:3")!.limit)).toBe(true);
    expect(reaches({ t: 9, i: 3 }, pointInTime("9:4")!.limit)).toBe(false);
    // The second may go on as long as no later one was seen.
    expect(reaches({ t: 9, i: 3 }, pointInTime(iso(9))!.limit)).toBe(false);
    expect(reaches({ t: 10, i: 1 }, pointInTime(iso(9))!.limit)).toBe(true);
  });
});

const source = { setName: "rs0", replicaSetId: "a" };
const dump = (last: OperationTime) => ({ id: "backup", source, oplog: { entries: 0, last } });
const era = fc
  .tuple(time, time, fc.constantFrom("a", "b"), fc.uuid())
  .filter(([after, last]) => isBefore(after, last))
  .map(([after, last, replicaSetId, id]): EraBounds => {
    return { era: id, source: { ...source, replicaSetId }, after, last };
  });

describe("the span that can be restored", () => {
  test("reaches from the backup's end to the end of an era of its replica set that holds it, the furthest", () => {
    fc.assert(
      fc.property(time, fc.array(era, { maxLength: 5 }), (last, eras) => {
        const span = restorableSpan(dump(last), eras);
        const leading = eras.filter(
          (one) => one.source.replicaSetId === "a" && !isBefore(last, one.after) && !isBefore(one.last, last),
        );
        expect(span.from).toEqual(last);
        expect(span.era === undefined).toBe(leading.length === 0);
        expect(span.why === undefined).toBe(leading.length > 0);
        if (leading.length === 0) expect(span.through).toEqual(last);
        for (const one of leading) expect(isBefore(span.through, one.last)).toBe(false);
      }),
    );
  });

  test("a time is restorable exactly when all its operations are in the backup and the archive", () => {
    fc.assert(
      fc.property(time, era, time, (last, one, wanted) => {
        const span = restorableSpan(dump(last), [one]);
        const point = pointInTime(`${wanted.t}:${wanted.i}`)!;
        const inside = !isBefore(wanted, span.from) && !isBefore(span.through, wanted);
        const attempt = () => assertRestorable(span, point);
        if (inside) attempt();
        else expect(attempt).toThrow(RoundtripError);
      }),
    );
  });

  test("says why there is only the backup", () => {
    const bounds = { era: "e", source, after: { t: 10, i: 0 }, last: { t: 20, i: 0 } };
    expect(restorableSpan(dump({ t: 5, i: 1 }), []).why).toBe("no oplog is archived");
    expect(restorableSpan(dump({ t: 5, i: 1 }), [bounds]).why).toContain("gap at the backup's end 5:1");
    expect(restorableSpan(dump({ t: 25, i: 1 }), [bounds]).why).toContain("ends at 20:0");
    const other = { ...bounds, source: { ...source, replicaSetId: "b" } };
    expect(restorableSpan(dump({ t: 15, i: 1 }), [other]).why).toContain("another replica set");
  });
});
