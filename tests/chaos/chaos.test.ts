import { expect, test } from "bun:test";
import { Random } from "../../scripts/drill/random.ts";
import { type Point, sweepRun, victims } from "./sweep.ts";

/** Two points of death for each worker and each runbook; CHAOS_SEED replays a run. `make chaos` does all of them. */
test("a drill whose workers and runbooks are killed at random requests ends PROVEN", async () => {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
  console.log(`CHAOS_SEED=${seed}`);
  const random = new Random(seed);
  const points: Point[] = Object.keys(victims).flatMap((caller) => [
    { caller, nth: 1 + random.integer(8), when: "before" as const },
    { caller, nth: 10 + random.integer(12), when: "after" as const },
  ]);
  const said: string[] = [];
  const run = await sweepRun(points, { seed, say: (text) => void said.push(text) }).catch((error: Error) => {
    throw new Error(`${error.message}\n${said.slice(-40).join("")}`, { cause: error });
  });
  expect(run.result).toMatchObject({ verdict: "PROVEN", reasons: [] });
  const killed = new Set(run.killed.map(({ caller }) => caller));
  expect([...killed].sort()).toEqual(Object.keys(victims).sort());
}, 300_000);
