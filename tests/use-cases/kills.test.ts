/**
 * Each operation's process killed with -9 before and after its requests, and run again until it is through: the end is
 * the same as without a kill. A sample by default; USE_CASES_KILLS=all takes every request.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { applicationSecret, UseCaseWorld } from "./use-case-world.ts";
import { Writer } from "./writer.ts";

const everything = process.env.USE_CASES_KILLS === "all";
setDefaultTimeout(everything ? 3_600_000 : 300_000);

/** Requests between two kills of one operation: enough to come up again, read the journal, and get on. */
const apart = 37;
/** So that the points of one operation reach over all its requests. */
const pointsMax = everything ? 8 : 3;
const triesMax = pointsMax + 2;

let world: UseCaseWorld;
let kills = 0;

beforeAll(async () => {
  world = await UseCaseWorld.start();
  const documents = Array.from({ length: 200 }, (_, _id) => ({ _id: _id as never, version: 0 }));
  await world.source.db("shop_orders").collection("orders").insertMany(documents);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Runs to the end through kills at requests `first`, `first + apart`, …; gives how many there were. */
async function through(
  name: string,
  inputs: Readonly<Record<string, string>>,
  { first, when }: { readonly first: number; readonly when: "before" | "after" },
): Promise<number> {
  for (let point = 0; point < pointsMax; point++) {
    const nth = first + point * apart;
    await world.steer("faults", { id: `${name}-${nth}`, caller: name, nth, when, action: { kill: name } });
  }
  let killed = 0;
  try {
    for (let attempt = 0; attempt < triesMax; attempt++) {
      const ran = await world.run(name, inputs);
      if (ran.code === 0) return killed;
      if (ran.code !== 137) throw new Error(`${name} ended with ${ran.code}:\n${ran.stderr}`);
      killed++;
    }
    throw new Error(`${name} is not through after ${triesMax} tries`);
  } finally {
    kills += killed;
    await world.steer("faults", undefined, "DELETE");
  }
}

/** Where kills begin, and on which side of the request's effect; USE_CASES_SEED replays a sample. */
const sides = ["before", "after"] as const;
const seed = Number(process.env.USE_CASES_SEED ?? Date.now() % apart);
const offsets = everything ? Array.from({ length: apart }, (_, index) => index + 1) : [1 + seed];
const points = offsets.flatMap((first) => sides.map((when) => ({ first, when })));
if (!everything) console.log(`USE_CASES_SEED=${seed}`);

test("first start", async () => {
  const killed = await through("first-start", {}, points[0]!);
  expect(killed).toBeGreaterThan(0);
  expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
  await world.same();
});

test("rotations and removals under load: no event lost, doubled or loaded anew; one user at the end, and it logs in", async () => {
  let firstId = 100_000;
  for (const [round, point] of points.entries()) {
    const before = (await world.statistics()).get("shop_orders.orders")!;
    await using writer = new Writer(world.source, 60, firstId);
    firstId += 1_000_000;
    const change = round % 3 === 2 ? "password" : "user-and-password";
    expect(await through("rotate-credentials", { change }, point)).toBeGreaterThan(0);
    const written = await writer.stop();
    await world.same();
    const after = (await world.statistics()).get("shop_orders.orders")!;
    const grown = (name: string) => Number(after[name]) - Number(before[name]);
    expect({
      inserts: grown("AppliedInserts"),
      updates: grown("AppliedUpdates"),
      deletes: grown("AppliedDeletes"),
      loaded: grown("FullLoadRows"),
    }).toEqual({ ...written, loaded: 0 });
    expect(after.FullLoadStartTime).toEqual(before.FullLoadStartTime);
    const { AWSCURRENT: current, AWSPREVIOUS: previous, ...others } = await world.versions();
    expect([Object.keys(others), await world.accepts(current!)]).toEqual([[], true]);
    if (change === "user-and-password") {
      const old = previous!.username!;
      expect(await world.accepts(previous!)).toBe(true);
      await through("remove-old-user", { "old-username": old }, point);
      expect(await world.users()).not.toContain(old);
    }
    const mine = (await world.users()).filter((name) => name.startsWith("dms_target"));
    expect(mine).toEqual([current!.username!]);
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
  }
});

test("pausing, resuming and renewing an application user", async () => {
  for (const point of everything ? points : points.slice(0, 1)) {
    await through("tasks-pause", {}, point);
    expect(await world.statuses()).toEqual({ shop: "stopped", billing: "stopped" });
    const id = `${point.first}-${point.when}` as never;
    await world.source.db("shop_orders").collection("orders").insertOne({ _id: id });
    await through("tasks-resume", {}, point);
    expect(await world.statuses()).toEqual({ shop: "running", billing: "running" });
    await world.same();
    await through("renew-application-user", { user: "shop" }, point);
    const versions = await world.versions(applicationSecret);
    expect(Object.keys(versions).sort()).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
    expect(await world.accepts(versions.AWSCURRENT!)).toBe(true);
  }
  console.log(`${kills} kills`);
});
