import type { ServiceContext } from "../runtime/definition.ts";

/** What was seen last, in words. */
export interface Seen {
  readonly ok: boolean;
  readonly expected: string;
  readonly got: string;
}

const lookEveryMs = 500;

/** Looks until it holds or the time is up; gives what was seen last. */
export async function waitFor<T extends Seen>(
  { clock, signal }: Pick<ServiceContext, "clock" | "signal">,
  msMax: number,
  look: () => Promise<T>,
): Promise<T> {
  const endMs = clock.monotonicMs() + msMax;
  for (;;) {
    const seen = await look();
    if (seen.ok || clock.monotonicMs() >= endMs) return seen;
    await clock.sleep(lookEveryMs, signal);
  }
}
