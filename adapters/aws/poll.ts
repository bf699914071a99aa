import { RoundtripError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";

const pollMsFirst = 200;
const pollMsMost = 5000;

/**
 * Asks until there is an answer, bounded by `timeoutSeconds` and with growing pauses. An end that was not seen is
 * `unknown`, never success. SDK waiters are not used: they take passing states for failures.
 */
export async function poll<T>(
  clock: Clock,
  timeoutSeconds: number,
  waitFor: { readonly what: string; readonly expected: string; readonly wayOut: string },
  ask: () => Promise<{ answer: T } | { seen: string }>,
): Promise<T> {
  const started = clock.monotonicMs();
  let pause = pollMsFirst;
  for (;;) {
    const reply = await ask();
    if ("answer" in reply) return reply.answer;
    if (clock.monotonicMs() - started > timeoutSeconds * 1000) {
      throw new RoundtripError({
        kind: "unknown",
        ...waitFor,
        got: `${reply.seen} after ${timeoutSeconds} s`,
      });
    }
    await clock.sleep(pause);
    pause = Math.min(pollMsMost, pause * 1.15);
  }
}
