import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { expandVariables, parseAssignments, parseEnvironmentFile, splitWords } from "./quoting.ts";

const word = fc.string({ unit: fc.constantFrom(..."ab $'\"\\\t\n;#%{}=é/".split("")), maxLength: 12 });

/** A word as a unit file would quote it. */
function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

describe("splitWords", () => {
  test("gives back every list of words that was quoted", () => {
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitWords(words.map(quote).join(" \t "))).toEqual(words);
      }),
    );
  });

  test("joins quoted and bare parts, decodes escapes, keeps an empty word", () => {
    expect(splitWords(`a'b c'"d e"f '' \\x41\\101\\u00e9 tab\\there`)).toEqual([
      "ab cd ef",
      "",
      "AAé",
      "tab\there",
    ]);
  });

  test("refuses an open quote, an unknown escape and a backslash at the end", () => {
    for (const bad of ["'a", '"a', "\\q", "a\\"]) expect(() => splitWords(bad)).toThrow();
  });
});

test("variables: ${A} inside a word, $A as words of its own, $$ as a dollar sign", () => {
  const environment = { A: "x y", B: "" };
  expect(expandVariables(["-${A}-", "$A", "$B", "$C", "${C}", "$$A", "a$A"], environment)).toEqual([
    "-x y-",
    "x",
    "y",
    "",
    "$A",
    "a$A",
  ]);
});

test("an assignment that is none is reported and left out", () => {
  const warnings: string[] = [];
  expect(parseAssignments(["A=1", "B", "=2", "C=a=b", "1D=x"], (message) => warnings.push(message))).toEqual({
    A: "1",
    C: "a=b",
  });
  expect(warnings.length).toBe(3);
});

describe("environment files", () => {
  test("give back every value in double quotes", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (values) => {
        const text = values
          .map((value, index) => `V${index}="${value.replace(/[\\"$`]/g, "\\$&")}"`)
          .join("\n");
        expect(Object.values(parseEnvironmentFile(text))).toEqual(values);
      }),
    );
  });

  test("skip comments and lines that are no assignment, trim bare values, take the last of two", () => {
    expect(parseEnvironmentFile("# A=1\n; B=2\nnothing\n C = c d \nD='x\ny'\nD=last\\\nline\n")).toEqual({
      C: "c d",
      D: "lastline",
    });
  });
});
