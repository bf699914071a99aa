import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ContractSubject, Endpoint } from "./endpoint.ts";

export type Scenario = (name: string, run: () => Promise<void>) => void;

/**
 * Runs scenarios against a subject. Those it is known to get wrong must fail there: a difference that has gone, or that
 * names no scenario, fails the suite.
 */
export function contractSuite(
  title: string,
  subject: ContractSubject,
  define: (scenario: Scenario) => void,
): void {
  const suite = `${title} on ${subject.name}`;
  if (subject.missing !== undefined) {
    describe(suite, () => test.skip(`skipped: ${subject.missing}`, () => undefined));
    return;
  }
  describe(suite, () => {
    const differences = { ...subject.differences };
    let endpoint: Endpoint | undefined;
    beforeAll(async () => {
      endpoint = await subject.open();
    }, 60_000);
    afterAll(async () => endpoint?.[Symbol.asyncDispose]());
    define((name, run) => {
      const difference = differences[name];
      delete differences[name];
      if (difference === undefined) test(name, run, 60_000);
      else test.failing(`${name} (differs: ${difference})`, run, 60_000);
    });
    test("every listed difference names a scenario", () => expect(Object.keys(differences)).toEqual([]));
  });
}

/** The name and HTTP status of the error a call fails with; "none -" where it succeeds. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "none -",
    (error: { name?: string; $metadata?: { httpStatusCode?: number } }) =>
      `${error.name} ${error.$metadata?.httpStatusCode}`,
  );
}

/** The name alone, for services whose error status no client looks at. */
export async function errorName(call: Promise<unknown>): Promise<string> {
  return (await errorOf(call)).replace(/ \S+$/, "");
}
