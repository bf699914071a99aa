import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";

/** Runs one check so that its failure is one line among others, and the rest is checked, too. */
export async function attempt(
  name: string,
  expected: string,
  run: () => Promise<string | Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    const got = await run();
    if (typeof got === "string") return [{ name, ok: true, expected, got }];
    return [got].flat() as readonly Check[];
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "interrupted") throw error;
    return [{ name, ok: false, expected, got: `${error.what}: ${error.got}`, wayOut: error.wayOut }];
  }
}
