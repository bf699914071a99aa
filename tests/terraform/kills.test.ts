import { describe, expect, test } from "bun:test";
import { Random } from "../../scripts/drill/random.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { KilledStack, type Point } from "./kills.ts";

/**
 * Points of death of the first apply of a whole environment: a sample by default, each request before and after its effect
 * with TERRAFORM_SWEEP=all (many hours), or one part of them with TERRAFORM_SWEEP=<part>/<parts>. TERRAFORM_SEED replays a
 * sample.
 */
const sweep = process.env.TERRAFORM_SWEEP ?? "";
/** Everything is made and nothing is written down: the last look at the state, before it is saved. */
const worst: Point = { nth: 4, keyPattern: "/dev\\.tfstate$", when: "before", victim: "terraform" };
/** The next run, one that is in its way at most, and nobody's patience beyond. */
const runsMax = 3;

function pointsOf(requests: number): Point[] {
  const all = Array.from({ length: requests }, (_, index) => index + 1).flatMap((nth) =>
    (["before", "after"] as const).flatMap((when): Point[] => [
      { nth, when, victim: "terraform" },
      { nth, when, victim: "parent" },
    ]),
  );
  const part = /^(\d+)\/(\d+)$/.exec(sweep);
  if (part) return all.filter((_, index) => index % Number(part[2]) === Number(part[1]) - 1);
  if (sweep === "all") return all;
  const seed = Number(process.env.TERRAFORM_SEED ?? Date.now() % 100_000);
  console.log(`TERRAFORM_SEED=${seed}`);
  const random = new Random(seed);
  // The first tenth plans.
  const nth = () => Math.floor(requests / 10) + 1 + random.integer(Math.floor(requests * 0.85));
  const when = () => (["before", "after"] as const)[random.integer(2)]!;
  return [
    worst,
    { nth: nth(), when: when(), victim: "terraform" },
    { nth: nth(), when: when(), victim: "parent" },
  ];
}

/** Kills one apply and runs it again until it is through. Fails, with what was said, when the end isn't as if nothing had been. */
async function survive(point: Point, whole: Readonly<Record<string, number>>): Promise<string> {
  await using stack = await KilledStack.start();
  await stack.arm(point);
  const first = await stack.apply();
  const hasFired = await stack.fired();
  const wasLocked = await stack.unlock();
  let ran = first;
  let runs = 1;
  for (; ran.code !== 0 && runs <= runsMax; runs++) ran = await stack.apply();
  const said = `${JSON.stringify(point)}\nfirst: ${first.said.slice(-1500)}\nlast: ${ran.said.slice(-3000)}`;
  expect({ code: ran.code, said: ran.code === 0 ? "" : said }).toEqual({ code: 0, said: "" });
  expect({ point, plan: await stack.plan() }).toEqual({ point, plan: [] });
  expect({ point, made: stack.inventory() }).toEqual({ point, made: whole });
  expect(stack.leftovers()).toEqual([]);
  const taken = ran.said.match(/taken over from/g)?.length ?? 0;
  return hasFired
    ? `${runs - 1} more run(s), ${wasLocked ? "lock freed" : "no lock left"}, ${taken} objects taken over`
    : "not reached";
}

describe.skipIf(!terraformProgram)(`the stack's first apply, killed${whyNoTerraform}`, () => {
  test(
    "Terraform, or what started it, killed at any request to AWS: the next run ends in the same state, nothing is made twice or forgotten",
    async () => {
      const undisturbed = await (async () => {
        await using stack = await KilledStack.start();
        expect((await stack.apply()).code).toBe(0);
        return { requests: await stack.requests(), made: stack.inventory() };
      })();
      const points = pointsOf(undisturbed.requests);
      const failures: string[] = [];
      let reached = 0;
      for (const [index, point] of points.entries()) {
        // A sweep of hours goes on behind a point that fails.
        const outcome = await survive(point, undisturbed.made).catch((error: Error) => {
          if (!sweep) throw error;
          failures.push(error.message);
          return `FAILED\n${error.message}`;
        });
        if (outcome !== "not reached") reached++;
        const where = point.keyPattern ? "the state's save" : `request ${point.nth}`;
        if (sweep)
          console.log(`${index + 1}/${points.length} ${point.victim} ${point.when} ${where}: ${outcome}`);
      }
      expect(failures).toEqual([]);
      console.log(`${reached} of ${points.length} points reached, of ${undisturbed.requests} requests`);
      // Polls make the number of requests differ a little from run to run: the very last points may not be reached.
      expect(reached).toBeGreaterThanOrEqual(Math.floor(points.length * 0.8));
    },
    sweep ? 24 * 3_600_000 : 900_000,
  );
});
