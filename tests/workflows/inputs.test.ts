import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shownUnitParameter } from "../../core/actions/parameter.ts";
import { environmentNames } from "../../core/tasks/model.ts";
import { operations, runbooks } from "../../runbooks/catalog.ts";
import { runbookWorkflow } from "../../scripts/workflows/runbook-workflow.ts";
import { type Input, type Workflow, workflows } from "./read.ts";

const all = [...runbooks, ...operations];
const workflowOf = (name: string) => workflows.find(({ file }) => file === name);
const inputsOf = ({ on }: Workflow): Readonly<Record<string, Input>> => on.workflow_dispatch?.inputs ?? {};

describe("a runbook's workflow", () => {
  test.each(all.map((runbook) => [runbook.name, runbook] as const))("%s", (name, runbook) => {
    const workflow = workflowOf(name);
    // First by what it says, so that the generator isn't its own judge.
    const { environment, mode, ...inputs } = inputsOf(workflow!);
    expect(environment).toMatchObject({ type: "choice", required: true, options: [...environmentNames] });
    expect(environment?.default).toBeUndefined();
    expect(mode).toMatchObject({ type: "choice", default: "run", options: ["run", "plan"] });
    expect(Object.keys(inputs)).toEqual(runbook.inputs.map((input) => input.name));
    for (const { name, description, pattern, default: fallback } of runbook.inputs) {
      const input = inputs[name]!;
      expect(input.description).toBe(description);
      expect(input.required).toBe(fallback === undefined);
      expect(input.default === undefined ? undefined : String(input.default)).toBe(fallback);
      if (input.type === "boolean") {
        for (const text of ["true", "false"]) expect(pattern.test(text)).toBe(true);
        expect(pattern.test("yes")).toBe(false);
      }
      if (input.type === "choice") {
        for (const option of input.options ?? []) expect(pattern.test(option)).toBe(true);
        expect(input.options?.length).toBeGreaterThan(1);
        // Every alternative is offered: what the pattern names and nothing more.
        expect(pattern.source).toBe(`^(${input.options?.join("|")})$`);
      }
      if (input.type === "string") expect(pattern.source).not.toMatch(/^\^\([a-z-]+(\|[a-z-]+)+\)\$$/);
    }
    // Then that nobody edited it by hand.
    expect(workflow?.text).toBe(runbookWorkflow(runbook));
  });

  test("there is one for each, within the 25 inputs that GitHub shows", () => {
    expect(all.filter(({ name }) => !workflowOf(name))).toEqual([]);
    for (const workflow of workflows) expect(Object.keys(inputsOf(workflow)).length).toBeLessThanOrEqual(25);
  });
});

test("logs offers every service whose journal can be read", () => {
  const { service } = inputsOf(workflowOf("logs")!);
  const units = (shownUnitParameter.allowedValues ?? []).map((unit) => unit.replace(/\.service$/, ""));
  expect(service?.options).toEqual(units);
});

/** Texts that mean something to a shell, to YAML, to an option parser, or to the runner. */
const hostile = [
  "; touch OWNED",
  "$(touch OWNED)",
  "`touch OWNED`",
  '" ; touch OWNED ; "',
  "' ; touch OWNED ; '",
  "x\ntouch OWNED",
  "x\r\ntouch OWNED",
  "&& touch OWNED",
  "| touch OWNED",
  "> OWNED",
  "${IFS}touch${IFS}OWNED",
  "$PATH",
  "${HOME}",
  "~",
  "*",
  "??",
  "[a-z]*",
  "{a,b}",
  "\\",
  "\\\n",
  "!!",
  "#",
  "--env=prod",
  "-x",
  "--",
  "${{ github.token }}",
  "}}",
  "::set-output name=x::y",
  "::add-mask::x",
  "é\u202e🎉",
  "\t",
  " ",
  "",
  "\u0001\u001b[31m",
  "a=b",
  "../../etc/passwd",
  "%0A",
  "null",
  "<<EOF\ntouch OWNED\nEOF",
  "x' $(touch OWNED) \"y",
];

test("200 hostile texts through every input of every workflow arrive byte for byte and run nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "inputs-"));
  try {
    const places = workflows.flatMap((workflow) =>
      Object.values(workflow.jobs).flatMap(({ steps = [] }) =>
        steps.flatMap(({ run, env = {} }) => {
          const typed = Object.entries(env).filter(([, value]) =>
            /^\$\{\{ inputs\.[a-z-]+ \}\}$/.test(value),
          );
          return run && typed.length > 0 ? [{ run, names: typed.map(([name]) => name) }] : [];
        }),
      ),
    );
    const inputs = workflows
      .filter(({ on }) => on.workflow_dispatch)
      .flatMap((each) => Object.keys(inputsOf(each)));
    expect(places.flatMap(({ names }) => names).length).toBeGreaterThanOrEqual(inputs.length);
    const payloads = Array.from({ length: 200 }, (_, n) => {
      const text = `${hostile[n % hostile.length]}${"·".repeat(n / 40)}`;
      // Each variable has a text of its own, so that one can't hide that another was lost.
      const textFor = (name: string) => (Math.floor(n / 40) % 2 === 0 ? `${name}${text}` : `${text}${name}`);
      return { text, textFor };
    });
    const names = [...new Set(places.flatMap((place) => place.names))];
    const record = join(folder, "record");
    // A function in the place of bun: it writes down its arguments, each ended by a NUL. The shell goes on after exec.
    const functions = ['bun() { printf "%s\\0" "$@" >> "$RECORD"; }', 'exec() { "$@"; }'];
    const script = [...functions, ...places.map(({ run }) => run)].join("\n");
    for (const { text, textFor } of payloads) {
      rmSync(record, { force: true });
      const child = Bun.spawn(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          RECORD: record,
          RUNNER_TEMP: folder,
          DIGEST: "d",
          STATE_BUCKET: "s",
          AWS_REGION: "r",
          ...Object.fromEntries(names.map((name) => [name, textFor(name)])),
        },
        stdout: "ignore",
        stderr: "pipe",
      });
      expect(`${text}: ${await child.exited} ${await new Response(child.stderr).text()}`).toBe(`${text}: 0 `);
      // The plan's own output is redirected; what is recorded is every argument list.
      const seen = readFileSync(record, "utf8").split("\0");
      const lost = names.filter((name) => {
        const value = textFor(name);
        const arrived = seen.filter((argument) => argument === value || argument.endsWith(`=${value}`));
        return arrived.length < places.filter((place) => place.names.includes(name)).length;
      });
      expect(`${text}: ${lost.join(", ")}`).toBe(`${text}: `);
      expect(readdirSync(folder).filter((name) => name !== "record" && name !== "plan.json")).toEqual([]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
