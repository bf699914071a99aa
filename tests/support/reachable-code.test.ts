import { expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reachableCode } from "./reachable-code.ts";

/** The quoted words in the code that is reached from main.ts. */
function wordsReached(files: Readonly<Record<string, string>>, without: readonly string[] = []): string[] {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "reachable-code-")));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    const text = reachableCode(root, "main.ts", without).map((unit) => unit.getText());
    return [...new Set(text.join("\n").match(/(?<=")[a-z]+(?=")/g))].sort();
  } finally {
    rmSync(root, { recursive: true });
  }
}

const store = {
  "ports.ts": "export interface Store { get(): string; put(text: string): string }",
  "store.ts": `
    import type { Store } from "./ports.ts";
    const shared = () => "shared";
    export class S3Store implements Store {
      #bucket = "field";
      constructor() { "made"; }
      get() { return this.#try() + shared(); }
      put(_text: string) { return "put"; }
      #try() { return "tried"; }
    }
    export const unused = () => "unused";
    export const open = (): Store => new S3Store();`,
};

test("a call through an interface reaches the class's method and what that calls, and no other method", () => {
  expect(
    wordsReached({
      ...store,
      "main.ts": `
        import { open } from "./store.ts";
        export const run = () => open().get();`,
    }),
  ).toEqual(["field", "made", "shared", "tried"]);
});

test("a method of the same name on something else reaches nothing", () => {
  expect(
    wordsReached({
      ...store,
      "main.ts": `
        import { open } from "./store.ts";
        export const run = (map: Map<string, string>) => { open(); return map.get("asked"); };`,
    }),
  ).toEqual(["asked", "field", "made"]);
});

test("a file that is loaded when it is needed counts whole", () => {
  expect(
    wordsReached({
      "verb.ts": `export const run = () => "verb"; export class Verb { go() { return "going"; } }`,
      "main.ts": `const verbs = { one: () => import("./verb.ts") }; await verbs.one();`,
    }),
  ).toEqual(["going", "verb"]);
});

test("of a file that is loaded for one of its exports, that export is reached, and what runs when it is loaded", () => {
  expect(
    wordsReached({
      "adapter.ts": `
        console.log("loading");
        export const taken = () => "taken";
        export function left() { return "left"; }`,
      "main.ts": `
        export const run = async () => {
          const { taken } = await import("./adapter.ts");
          return taken();
        };`,
    }),
  ).toEqual(["loading", "taken"]);
});

test("a file that is named as never loaded is not followed", () => {
  const files = {
    "verb.ts": `export const run = () => "verb";`,
    "other.ts": `export const run = () => "other";`,
    "main.ts": `const verbs = { one: () => import("./verb.ts"), two: () => import("./other.ts") }; await verbs.one();`,
  };
  expect(wordsReached(files, ["other.ts"])).toEqual(["verb"]);
});
