import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runbooks as failbackRunbooks, operations } from "../../runbooks/catalog.ts";

const runbooks = [...failbackRunbooks, ...operations];
const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const run = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Pages of the repository, also those not yet committed. */
function pages(): string[] {
  const git = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
  const listed = execFileSync("git", git, { cwd: root, encoding: "utf8" }).split("\n");
  return [...new Set(listed)].filter((path) => path !== "" && existsSync(join(root, path)));
}

describe("links", () => {
  test.each(pages())("%s leads only to files that are there", (page) => {
    // Code is no link, however it looks.
    const text = read(page).replace(/```[\s\S]*?```|`[^`\n]*`/g, "");
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target.replace(/#.*$/, ""))
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });
});

describe("a runbook's page", () => {
  test.each(runbooks.map((runbook) => [runbook.name, runbook] as const))(
    "%s names the steps and inputs the code has, in their order",
    (name, runbook) => {
      const page = read(`runbooks/${name}/README.md`);
      const steps = [...page.matchAll(/^(\d+)\. `([a-z-]+)`: /gm)].map(
        ([, number, step]) => `${number} ${step}`,
      );
      expect(steps).toEqual(runbook.steps.map((step, index) => `${index + 1} ${step.name}`));
      const inputs = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, input]) => input);
      expect(inputs).toEqual(runbook.inputs.map((input) => input.name));
      expect(page).toContain(`roundtrip runbook ${name} --env prod`);
    },
  );

  test("every folder with a page is a runbook of the catalog", () => {
    const folders = readdirSync(join(root, "runbooks")).filter((folder) =>
      existsSync(join(root, "runbooks", folder, "README.md")),
    );
    expect(folders.sort()).toEqual(runbooks.map(({ name }) => name).sort());
  });
});

describe("docs/services.md", () => {
  const rows = [
    ...read("docs/services.md").matchAll(/^\| `([a-z-]+)` \| (`([a-z-]+\.service)`|none.*?) \|/gm),
  ];

  test("has a row for each verb of the worker", () => {
    const verbs = [...run("services/main.ts", "--help").matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(
      ([, verb]) => verb,
    );
    expect(rows.map(([, verb]) => verb)).toEqual(verbs);
  });

  test("has a row for each unit", () => {
    const units = readdirSync(join(root, "services/units")).filter((name) => name.endsWith(".service"));
    expect(rows.flatMap(([, , , unit]) => unit ?? []).sort()).toEqual(units.sort());
  });
});

test("README's commands are the Makefile's and the roundtrip command's", () => {
  const targets = [...read("Makefile").matchAll(/^([a-z-]+):/gm)].map(([, target]) => target);
  for (const [, target = ""] of read("README.md").matchAll(/^ {4}make ([a-z-]+)/gm))
    expect(targets).toContain(target);
  const names = runbooks.map(({ name }) => name);
  for (const [, name = ""] of read("README.md").matchAll(/roundtrip runbook ([a-z-]+)/g))
    expect(names).toContain(name);
});
