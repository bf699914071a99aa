/** A point of death, and what must come of it. */

import { type Death, KilledStack, type Ran } from "./stack.ts";
import type { Recording, World } from "./worlds.ts";

/** The next run, one that is in its way at most, and nobody's patience beyond. */
const runsMax = 3;

/** What was lived through, in words for one line. */
export interface Survived {
  readonly reached: boolean;
  readonly said: string;
}

/** Goes on from what a killed Terraform left. Fails, with what was said, when the end isn't as if nothing had been. */
export async function surviveIn(world: World, recording: Recording): Promise<Survived> {
  await using stack = await KilledStack.start({ from: world.dir });
  await stack.dropLock();
  return await finish(stack, recording, { reached: true, first: undefined });
}

/** Kills an apply that began in an account where nothing was made yet, and goes on from what is left. */
export async function survive(death: Death, recording: Recording): Promise<Survived> {
  await using stack = await KilledStack.start({ from: recording.worlds[0]!.dir });
  await stack.arm(death);
  const first = await stack.apply();
  const reached = await stack.fired();
  await stack.unlock();
  return await finish(stack, recording, { reached, first });
}

async function finish(
  stack: KilledStack,
  { content }: Recording,
  { reached, first }: { reached: boolean; first: Ran | undefined },
): Promise<Survived> {
  let ran = first;
  let runs = 0;
  for (; ran?.code !== 0 && runs < runsMax; runs++) ran = await stack.apply();
  const said = first ? `first: ${first.said.slice(-1500)}\nlast: ` : "";
  if (ran?.code !== 0) throw new Error(`no end after ${runs} runs\n${said}${ran?.said.slice(-4000)}`);
  const problems = [
    ...(await stack.plan()).map((change) => `the next plan: ${change}`),
    ...differences(content, stack.content()),
    ...stack.leftovers().map((name) => `left in the root module: ${name}`),
  ];
  if (problems.length > 0) throw new Error(`${problems.join("\n")}\n${said}${ran.said.slice(-4000)}`);
  const taken = new Set(ran.said.match(/^\S+ exists \(.*taken over from/gm)).size;
  return { reached, said: `${runs} more run(s), ${taken} objects taken over` };
}

function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const left = [...wanted];
  const more = found.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...left.map((line) => `missing: ${line}`), ...more.map((line) => `too much: ${line}`)];
}
