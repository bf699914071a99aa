import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ActionMetadata, actionCatalog } from "../core/actions/catalog.ts";
import { documentParameterName } from "../core/actions/parameter.ts";
import { documentFiles, documentOf, documentsDirectory } from "./generate-documents.ts";

const actions: readonly ActionMetadata[] = actionCatalog;

interface Document {
  parameters?: Record<string, { allowedPattern?: string; default?: string; interpolationType: string }>;
  mainSteps: { inputs: { runCommand: string[] } }[];
}

test("the committed SSM documents are the ones the catalog makes", () => {
  const files = documentFiles();
  expect(readdirSync(documentsDirectory).sort()).toEqual([...files.keys()].sort());
  for (const [name, text] of files) {
    expect({ name, text: readFileSync(join(documentsDirectory, name), "utf8") }).toEqual({ name, text });
  }
});

test("every parameter is constrained, is ENV_VAR, and its default fits its own pattern", () => {
  for (const action of actions) {
    const { parameters = {} } = documentOf(action) as unknown as Document;
    for (const [name, parameter] of Object.entries(parameters)) {
      expect(name).toMatch(/^[a-zA-Z0-9]+$/);
      expect(parameter.interpolationType).toBe("ENV_VAR");
      if (!parameter.allowedPattern) continue;
      expect(parameter.allowedPattern).toMatch(/^\^.*\$$/);
      if (parameter.default) expect(parameter.default).toMatch(new RegExp(parameter.allowedPattern));
    }
  }
});

test("a value full of shell syntax arrives at the worker as one argument, and a missing one stops the script", () => {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-documents-"));
  try {
    const worker = join(folder, "worker");
    writeFileSync(worker, '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n');
    chmodSync(worker, 0o755);
    const hostile = "$(touch pwned) `id` '; rm -rf x \" && echo *";
    for (const action of actions) {
      const document = documentOf(action) as unknown as Document;
      const names = Object.keys(document.parameters ?? {});
      const script = document.mainSteps[0]!.inputs.runCommand.join("\n");
      expect(script).not.toContain("{{");
      const run = (environment: Record<string, string>) =>
        execFileSync("sh", ["-c", script.replace("/opt/roundtrip/bin/roundtrip-worker", worker)], {
          cwd: folder,
          env: environment,
          stdio: ["ignore", "pipe", "ignore"],
        }).toString();
      const given = Object.fromEntries(names.map((name) => [`SSM_${name}`, hostile]));
      const words = run(given).split("\n").slice(0, -1);
      expect(words.slice(0, 2)).toEqual(["action", action.name]);
      expect(words.filter((word) => word === hostile)).toHaveLength(names.length);
      const options = action.parameters.map((parameter) => `--${parameter.name}`);
      expect(words.filter((word) => word.startsWith("--"))).toEqual([
        ...(action.failback ? ["--failback"] : []),
        ...options,
      ]);
      for (const name of names) {
        const { [`SSM_${name}`]: _left, ...rest } = given;
        expect(() => run(rest)).toThrow();
      }
    }
    expect(readdirSync(folder)).toEqual(["worker"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a parameter's name in a document is its name on the command line in camel case", () => {
  expect(documentParameterName("allow-remove")).toBe("allowRemove");
  expect(documentParameterName("failback-id")).toBe("failbackId");
});
