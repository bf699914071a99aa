import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { actions, workflows } from "./read.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/set-up.md"), "utf8");
const texts = [...workflows, ...actions].map(({ text }) => text);

test("docs/set-up.md names every variable, and there is no secret to name", () => {
  const variables = texts.flatMap((text) =>
    [...text.matchAll(/\bvars\.([A-Z_]+)/g)].map(([, name]) => name!),
  );
  expect([...new Set(variables)].sort()).toEqual([
    "AWS_REGION",
    "AWS_ROLE",
    "AWS_SESSION_SECONDS",
    "RELEASE_BUCKET",
    "ROUNDTRIP_ENVIRONMENTS",
    "TERRAFORM_STATE_BUCKET",
  ]);
  for (const name of variables) expect(page).toContain(`\`${name}\``);
  expect(texts.filter((text) => /\bsecrets\./.test(text))).toEqual([]);
});

test("docs/set-up.md names every workflow", () => {
  const table = page.slice(page.indexOf("## What runs when"), page.indexOf("The runbooks' workflows"));
  const named = [...table.matchAll(/`(-?[a-z-]+)`/g)].map(([, name = ""]) =>
    name.startsWith("-") ? `failback${name}` : name,
  );
  expect(workflows.map(({ file }) => file).filter((file) => !named.includes(file))).toEqual([]);
});

test("docs/set-up.md's pins are the workflows'", () => {
  const pins = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/uses: ([\w.-]+\/[\w.-]+)@([0-9a-f]{40}) # (v[\d.]+)/g)].map(
        ([, action, sha, version]) => `| ${action} | ${version} | \`${sha}\` |`,
      ),
    ),
  );
  expect(pins.size).toBe(4);
  for (const row of pins) expect(page).toContain(row);
});
