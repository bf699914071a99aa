/** Terraform refuses a schedule by a pattern, the host by reading it: what the one lets through the other has to read. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { scheduleParameter } from "../../core/actions/parameter.ts";
import { parseSchedule } from "../../core/backup/schedule.ts";

const terraform = readFileSync(
  join(import.meta.dirname, "../../terraform/stack/variables.backups.tf"),
  "utf8",
);

/** The pattern as its locals put it together. */
function pattern(): RegExp {
  const numbers = /cron_numbers = \[([\s\S]*?)\n {2}\]/.exec(terraform)![1]!;
  const item = /cron_items\s+= \[for number in local\.cron_numbers : "(.*)"\]/.exec(terraform)![1]!;
  const fields = [...numbers.matchAll(/"(.*)"/g)].map(([, number]) => {
    const one = item.replaceAll("${number}", number!);
    return `${one}(,${one})*`;
  });
  expect(fields).toHaveLength(5);
  return new RegExp(`^${fields.join(" ")}$`, "i");
}

const isRead = (text: string): boolean => {
  try {
    return parseSchedule(text).text === text;
  } catch {
    return false;
  }
};
const words = [..."0123456789", ..."0123456789", ..."**,,--//", "jan", "DEC", "sun", "x", "31", "59", "*/5"];
const field = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
const texts = fc.oneof(
  fc.array(field, { minLength: 5, maxLength: 5 }),
  // One field is odd, so that many of them can be read.
  fc
    .tuple(fc.nat(4), field)
    .map(([at, odd]) => ["0", "0", "*", "*", "*"].map((one, i) => (i === at ? odd : one))),
);

test("Terraform and the SSM document let through every schedule that the host reads", () => {
  const [stack, document] = [pattern(), new RegExp(scheduleParameter.allowedPattern!)];
  let read = 0;
  fc.assert(
    fc.property(
      texts.map((all) => all.join(" ")),
      (text) => {
        if (!isRead(text)) return;
        read++;
        expect([text, stack.test(text), document.test(text)]).toEqual([text, true, true]);
      },
    ),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(100);
});

test("what Terraform lets through and the host refuses are ranges backwards and dates that never come", () => {
  const stack = pattern();
  fc.assert(
    fc.property(
      texts.map((all) => all.join(" ")),
      (text) => {
        if (!stack.test(text) || isRead(text)) return;
        const backwards = text.split(/[ ,]/).some((part) => /^[\da-z]+-/i.test(part));
        const [, , day = "", month = "", weekday = ""] = text.split(" ");
        const never = day !== "*" && (month !== "*" || weekday !== "*");
        expect([text, backwards || never]).toEqual([text, true]);
      },
    ),
    { numRuns: 3000 },
  );
});
