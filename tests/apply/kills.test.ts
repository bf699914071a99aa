import { expect, test } from "bun:test";
import { Random } from "../../scripts/drill/random.ts";
import { KillBench, type Point } from "./kills.ts";

/**
 * Points of death of one apply: a sample by default, each request before and after its effect with APPLY_SWEEP=all
 * (over an hour), or one part of them with APPLY_SWEEP=<part>/<parts>, odd parts mixing both;
 * APPLY_FAULT=reset breaks the connection there instead. APPLY_SEED replays a sample.
 */
const sweep = process.env.APPLY_SWEEP ?? "";
const action = process.env.APPLY_FAULT === "reset" ? "reset" : "kill";
const samples = 4;

function pointsOf(requests: number): Point[] {
  const all = Array.from({ length: requests }, (_, index) => index + 1).flatMap((nth): Point[] => [
    { nth, when: "before", action },
    { nth, when: "after", action },
  ]);
  const part = /^(\d+)\/(\d+)$/.exec(sweep);
  if (part) return all.filter((_, index) => index % Number(part[2]) === Number(part[1]) - 1);
  if (sweep === "all") return all;
  const seed = Number(process.env.APPLY_SEED ?? Date.now() % 100_000);
  console.log(`APPLY_SEED=${seed}`);
  const random = new Random(seed);
  const kills = Array.from({ length: samples }, () => all[random.integer(all.length)]!);
  const reset = { nth: 1 + random.integer(requests), when: "after", action: "reset" } as const;
  return [...kills, reset];
}

test(
  "an apply killed before or after any of its requests is finished by the next run: same end, nothing loaded twice",
  async () => {
    await using bench = await KillBench.start();
    const requests = await bench.requests();
    const points = pointsOf(requests);
    let fired = 0;
    for (const [index, point] of points.entries()) {
      const { runs, fired: hit } = await bench.hit(point);
      if (hit) fired++;
      if (sweep)
        console.log(
          `${index + 1}/${points.length} ${point.action} ${point.when} request ${point.nth}: ${runs} run(s)`,
        );
    }
    console.log(`${fired} of ${points.length} points hit, of ${requests} requests`);
    // Polls make the number of requests differ a little from run to run: the very last points may not be reached.
    expect(fired).toBeGreaterThanOrEqual(Math.floor(points.length * 0.8));
  },
  sweep ? 3_600_000 : 300_000,
);
