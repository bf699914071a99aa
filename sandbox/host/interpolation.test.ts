import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Definitions,
  interpolate,
  interpolateLines,
  parameterEnvironment,
  patternViolation,
} from "./interpolation.ts";

const definitions: Definitions = {
  safe: { type: "String", interpolationType: "ENV_VAR", allowedPattern: "^[a-z ]+$" },
  plain: { type: "String" },
  list: { type: "StringList" },
};

describe("ENV_VAR", () => {
  test("no value ever becomes part of the script", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(interpolate("run '{{ safe }}' {{safe}}", { safe: value }, definitions, "reference")).toBe(
          "run '$SSM_safe' $SSM_safe",
        );
        expect(parameterEnvironment({ safe: value }, definitions, "reference")).toEqual({ SSM_safe: value });
      }),
    );
  });

  test("an old agent pastes the value and gives no variable", () => {
    expect(interpolate("run {{ safe }}", { safe: "$(id)" }, definitions, "text")).toBe("run $(id)");
    expect(parameterEnvironment({ safe: "x" }, definitions, "text")).toEqual({});
  });
});

test("plain values are pasted once, $$ shrinks to $, unknown names stay", () => {
  const parameters = { plain: "a$$b {{ safe }}", safe: "x" };
  expect(interpolate("{{ plain }} {{nothing}}", parameters, definitions, "reference")).toBe(
    "a$b {{ safe }} {{nothing}}",
  );
});

test("a line that is one StringList becomes its items; inside a line it is JSON", () => {
  expect(
    interpolateLines(["{{ list }}", "echo {{list}}"], { list: ["a", "b"] }, definitions, "reference"),
  ).toEqual(["a", "b", 'echo ["a","b"]']);
});

test("the agent checks allowedPattern once more", () => {
  expect(patternViolation({ safe: "abc" }, definitions)).toBeUndefined();
  expect(patternViolation({ safe: "a;b" }, definitions)).toContain("does not match the allowed pattern");
});
