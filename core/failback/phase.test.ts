import { expect, test } from "bun:test";
import { RoundtripError } from "../errors.ts";
import { assertPhase, assertTransition, legalNext, type Phase, phases } from "./phase.ts";

const legal: readonly (readonly [Phase, Phase])[] = [
  ["normal", "capturing"],
  ["capturing", "draining"],
  ["draining", "restoring"],
  ["restoring", "verified"],
  ["verified", "cleaned"],
  ["cleaned", "normal"],
  // The ways back: reopen and abort.
  ["draining", "capturing"],
  ["restoring", "capturing"],
  ["capturing", "normal"],
];

test("only the steps of the state machine are legal; staying is done already", () => {
  for (const from of phases) {
    for (const to of phases) {
      const allowed = from === to || legal.some(([a, b]) => a === from && b === to);
      const attempt = () => assertTransition(from, to, "fb-1");
      if (allowed) expect(attempt).not.toThrow();
      else expect(attempt).toThrow(RoundtripError);
    }
  }
});

test("a refusal names the phase, the failback and the legal next step", () => {
  const attempt = () => assertPhase("capturing", ["verified"], "run failback-clean", "fb-1");
  expect(attempt).toThrow(
    /run failback-clean.*phase verified.*phase capturing \(failback fb-1\).*failback-restore/,
  );
});

test("every phase has a next step in words", () => {
  for (const phase of phases) expect(legalNext(phase)).toContain("failback-");
});
