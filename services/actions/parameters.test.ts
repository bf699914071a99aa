import { describe, expect, test } from "bun:test";
import { actionCatalog } from "../../core/actions/catalog.ts";
import { parseArguments } from "../runtime/arguments.ts";
import { actionOptions, findAction, readParameters } from "./parameters.ts";
import { loadAction } from "./registry.ts";

const read = (name: string, ...words: string[]) => {
  const definition = { name: "action", summary: "", positionals: ["<name>"], options: actionOptions() };
  return readParameters(findAction(name), parseArguments(definition, [name, ...words]));
};

describe("the command line of an action", () => {
  test("an unknown action is refused with the list of those there are", () => {
    expect(() => findAction("drop-everything")).toThrow(/record-identity, check-start/);
  });

  test("every action of the catalog has its code", async () => {
    for (const { name } of actionCatalog)
      expect([name, typeof (await loadAction(name))]).toEqual([name, "function"]);
  });

  test("values are read, defaults taken", () => {
    expect(read("grant-writers", "--failback", "fb-1")).toEqual({
      failbackId: "fb-1",
      values: new Map([["allow-remove", "false"]]),
    });
    expect(read("check-start", "--failback", "fb-1", "--force", "MongoDB is sick").values.get("force")).toBe(
      "MongoDB is sick",
    );
  });

  test("what does not fit the pattern is refused by name, as SSM refuses it", () => {
    expect(() => read("grant-writers", "--failback", "../../other")).toThrow(/--failback/);
    expect(() => read("grant-writers", "--failback", "fb-1", "--allow-remove", "yes")).toThrow(
      /one of true, false/,
    );
    expect(() => read("start-service", "--failback", "fb-1", "--unit", "sshd.service")).toThrow(/--unit/);
    expect(() => read("service-logs", "--unit", "backup.service", "--lines", "0")).toThrow(/--lines/);
    expect(() => read("record-identity", "--databases", "shop,a/b")).toThrow(/--databases/);
  });

  test("a missing parameter, and one of another action, are refused by name", () => {
    expect(() => read("drain")).toThrow(/--failback/);
    expect(() => read("drain", "--failback", "fb-1", "--lines", "5")).toThrow(/--lines/);
    expect(() => read("service-status", "--unit", "backup.service", "--failback", "fb-1")).toThrow(
      /--failback/,
    );
  });
});
