import { expect, test } from "bun:test";
import { Random } from "../../scripts/drill/random.ts";
import { inWords, KillBench, type Point, steadyPoints } from "./kills.ts";

/**
 * Points of death of one apply: a sample by default, each request before and after its effect with APPLY_SWEEP=all
 * (over an hour), or one part of them with APPLY_SWEEP=<part>/<parts>, odd parts mixing both;
 * APPLY_FAULT=reset breaks the connection there instead. APPLY_SEED replays a sample.
 */
const sweep = process.env.APPLY_SWEEP ?? "";
const action = process.env.APPLY_FAULT === "reset" ? "reset" : "kill";
const samples = 4;

function pointsOf(requests: readonly string[]): Point[] {
  const all = requests.flatMap((_, index): Point[] => [
    { nth: index + 1, when: "before", action },
    { nth: index + 1, when: "after", action },
  ]);
  const part = /^(\d+)\/(\d+)$/.exec(sweep);
  if (part) return all.filter((_, index) => index % Number(part[2]) === Number(part[1]) - 1);
  if (sweep === "all") return all;
  const seed = Number(process.env.APPLY_SEED ?? Date.now() % 100_000);
  console.log(`APPLY_SEED=${seed}`);
  const random = new Random(seed);
  const steady = steadyPoints(requests);
  const any = () => steady[random.integer(steady.length)]!;
  const kills = Array.from({ length: samples }, (): Point => {
    return { ...any(), when: random.integer(2) === 0 ? "before" : "after", action };
  });
  return [...kills, { ...any(), when: "after", action: "reset" }];
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
      if (sweep) console.log(`${index + 1}/${points.length} ${inWords(point)}: ${runs} run(s)`);
    }
    console.log(`${fired} of ${points.length} points hit, of ${requests.length} requests`);
    // In a sweep polls count, too; how many there are differs from run to run, so the very last points may not be reached.
    const least = sweep ? Math.floor(points.length * 0.8) : points.length;
    expect(fired).toBeGreaterThanOrEqual(least);
  },
  sweep ? 3_600_000 : 300_000,
);
