/** Commands a server with test commands enabled has for tests of the Stable API. They do nothing. */
import type { Command } from "../server/context.ts";

const names = [
  "testDeprecation",
  "testDeprecationInVersion2",
  "testRemoval",
  "testVersion2",
  "testVersions1And2",
];

export const testCommands: Command[] = names.map((name) => ({
  name,
  fields: [],
  role: "any",
  run: () => ({}),
}));
