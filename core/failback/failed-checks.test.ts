import { expect, test } from "bun:test";
import { failureOfChecks } from "./failed-checks.ts";

const check = (name: string, got: string, wayOut?: string) => ({
  name,
  ok: false,
  expected: "stopped",
  got,
  ...(wayOut ? { wayOut } : {}),
});

test("checks that say the same say it once; where they differ each is named with what it got", () => {
  const [a, b] = [
    check("task a is stopped", "running", "pause it"),
    check("task b is stopped", "running", "pause it"),
  ];
  expect(failureOfChecks([a, b])).toEqual({
    what: "task a is stopped; task b is stopped",
    expected: "stopped",
    got: "running",
    wayOut: "pause it",
  });
  expect(failureOfChecks([a, check("task c is stopped", "failed: no answer")])).toEqual({
    what: "task a is stopped; task c is stopped",
    expected: "stopped",
    got: "task a is stopped: running; task c is stopped: failed: no answer",
    wayOut: "pause it; see the runbook's page",
  });
});
