/**
 * Asks again until the answer is there, with growing pauses.
 * @param ask gives undefined as long as it isn't
 * @throws Error saying what was awaited when the time is up
 */
export async function waitFor<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  timeoutSeconds = 300,
): Promise<Answer> {
  const end = performance.now() + timeoutSeconds * 1000;
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 2000)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what}: not seen within ${timeoutSeconds} seconds`);
    await Bun.sleep(pause);
  }
}
