import { expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { DialectError } from "../errors.ts";
import { scrambleInPlace, unscramble } from "./tokens.ts";

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9A-F]{${length}}$`));

function scramble(token: string): string {
  const buffer = Buffer.from(`..${token}..`);
  scrambleInPlace(buffer, 2, token.length);
  expect(buffer.toString().slice(0, 2) + buffer.toString().slice(-2)).toBe("....");
  return buffer.toString("latin1", 2, 2 + token.length);
}

test("a token comes back as what it was made of, tells its time, and doesn't read as MongoDB's", () => {
  fc.assert(
    fc.property(
      hex(16),
      fc.integer({ min: 1, max: 60 }).chain((bytes) => hex(bytes * 2)),
      (time, rest) => {
        const upstream = `82${time}2B${rest}`;
        const token = scramble(upstream);
        expect(token).toMatch(/^01[0-9a-f]+$/);
        expect(token.slice(18)).not.toBe(`2B${rest}`.toLowerCase());
        expect(unscramble(token)).toEqual({ upstream, time: BigInt(`0x${time}`) });
      },
    ),
  );
});

test("anything that isn't such a token is malformed: code 9", () => {
  const good = scramble("8265AABBCC000000012B022C0100296E5A");
  const wrong = [
    "",
    "zz",
    "8265AABBCC000000012B022C0100296E5A",
    good.slice(0, 18),
    `${good}0`,
    good.replace(/^01/, "02"),
    good.toUpperCase(),
  ];
  for (const token of [...wrong, good.slice(0, 18) + (good[18] === "0" ? "1" : "0") + good.slice(19)]) {
    const failure = (() => {
      try {
        return unscramble(token);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(DialectError);
    expect((failure as DialectError).code).toBe(9);
  }
});

test("a token of the database in another form is not passed on silently", () => {
  expect(() => scramble("ABCDEF0123456789ABCDEF")).toThrow("resume token");
});
