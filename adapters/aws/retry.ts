import type { Clock } from "../../core/ports.ts";

/** Tries of one call in all where the SDK can't repeat it by itself: its answer had status 200, or broke off in its body. */
export const triesMax = 4;
const backoffMs = 100;

/** Waits before try `attempt` + 1: up to 200, 400, 800 ms, with full jitter so that many hosts don't come back at once. */
export async function pause(clock: Clock, attempt: number): Promise<void> {
  await clock.sleep(Math.random() * backoffMs * 2 ** attempt);
}
