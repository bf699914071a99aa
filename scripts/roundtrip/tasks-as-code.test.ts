/** The commands as people and workflows call them: exit codes, what stands on which stream, nothing left behind. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import planSchema from "../../schemas/plan.schema.json";
import { manyTasks } from "../tasks/example.ts";

const program = join(import.meta.dirname, "../roundtrip.ts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tasks-as-code-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good =
  "version: 1\ntasks:\n  - id: a\n    database: shop\n    collections:\n      - x # one\n      - w\n";
const twice = good.replace("- w", "- x");

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const { GITHUB_ACTIONS: _, ...inherited } = process.env;
  const child = Bun.spawn([process.execPath, program, ...args], {
    cwd: folder,
    env: { ...inherited, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code, cpuMs: Number(child.resourceUsage()!.cpuTime.total) / 1000 };
}

test("validate: a good file is exit 0, a bad one exit 1 with each problem on its line", async () => {
  const path = file("good.yaml", good);
  expect(await run(["validate", path])).toMatchObject({ code: 0, out: `${path}: valid\n`, err: "" });
  const bad = file("bad.yaml", twice);
  const { out, code } = await run(["validate", bad]);
  expect(code).toBe(1);
  expect(out).toBe(
    `${bad}:7:9 tasks[0].collections[1]: "x" stands here and at collections[0]; expected each collection once; fix: remove one of the two\n`,
  );
});

test("validate --json: one document, errors with file, line, column, path, code, message and fix", async () => {
  const good_ = await run(["validate", file("good.yaml", good), "--json"]);
  expect(JSON.parse(good_.out)).toEqual({ valid: true, errors: [] });
  const bad = file("bad.yaml", twice);
  const { out, code } = await run(["validate", bad, "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    valid: false,
    errors: [
      {
        file: bad,
        line: 7,
        column: 9,
        path: "tasks[0].collections[1]",
        code: "duplicate-collection",
        message: '"x" stands here and at collections[0]; expected each collection once',
        fix: "remove one of the two",
      },
    ],
  });
});

test("validate in Actions annotates the line, and keeps stdout to the document under --json", async () => {
  const bad = file("bad.yaml", twice);
  const actions = { GITHUB_ACTIONS: "true" };
  const plain = await run(["validate", bad], actions);
  expect(plain.out).toContain(`::error file=${bad},line=7,col=9,title=duplicate-collection::tasks[0]`);
  const json = await run(["validate", bad, "--json"], actions);
  expect(JSON.parse(json.out).valid).toBe(false);
  expect(json.err).toStartWith("::error file=");
});

test("validate: no such file, two files, an unknown option are usage errors, exit 2; not UTF-8 is exit 1 with its place", async () => {
  for (const args of [["nowhere.yaml"], ["a", "b"], ["--jason"]])
    expect((await run(["validate", ...args])).code).toBe(2);
  const bytes = new Uint8Array([...new TextEncoder().encode("version: 1\nx: é"), 0xff, 0x41]);
  const { code, out } = await run(["validate", file("latin.yaml", bytes), "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out).errors[0]).toMatchObject({ line: 2, column: 5, code: "not-utf8" });
});

test("plan of two files: terminal, Markdown and JSON by the schema", async () => {
  const base = file("base.yaml", good);
  const head = file("head.yaml", `${good}      - z\n`);
  const { out, code, err } = await run(["plan", "--base", base, "--head", head, "--json"]);
  expect([code, err]).toEqual([0, ""]);
  const plan = JSON.parse(out);
  expect(new Ajv2020({ strict: true }).compile(planSchema)(plan)).toBe(true);
  expect(plan.tasks).toMatchObject([
    { id: "a", action: "modify-and-resume", collectionsAdded: ["z"], collectionsRemoved: [] },
  ]);
  expect((await run(["plan", "--base", base, "--head", head])).out).toContain("~ modify-and-resume a");
  expect((await run(["plan", "--base", base, "--head", head, "--markdown"])).out).toStartWith(
    "### Plan: 1 to modify",
  );
});

test("plan of git references: the commit's tree is in the plan, a reference without the file plans everything as new", async () => {
  const git = (...args: string[]) =>
    Bun.spawnSync(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: folder });
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "empty");
  git("tag", "empty");
  file("tasks.yaml", good);
  git("add", "tasks.yaml");
  git("commit", "-q", "-m", "tasks");
  const tree = git("rev-parse", "HEAD^{tree}").stdout.toString().trim();
  const first = await run(["plan", "--base", "empty", "--head", "HEAD", "--json"]);
  expect(first.err).toBe("empty has no tasks.yaml: everything is planned as new\n");
  expect(JSON.parse(first.out)).toMatchObject({ head: { name: "HEAD", tree }, summary: { create: 1 } });
  const working = await run(["plan", "--base", "main", "--json"]);
  expect(JSON.parse(working.out)).toMatchObject({
    base: { tree },
    head: { name: "tasks.yaml" },
    summary: { none: 1 },
  });
  for (const base of ["nowhere", "--upload-pack=x", "HEAD~9"])
    expect((await run(["plan", `--base=${base}`])).code).toBe(2);
  expect((await run(["plan", "--base", "main", "--head", "empty"])).code).toBe(2);
});

test("plan of an invalid file names the problem and prints no plan", async () => {
  const { code, out, err } = await run([
    "plan",
    "--base",
    file("base.yaml", good),
    "--head",
    file("bad.yaml", twice),
  ]);
  expect([code, out]).toEqual([6, ""]);
  expect(err).toContain("bad.yaml:7:9 tasks[0].collections[1]");
});

test("tasks add-collection, remove-collection and add-database change the file in place, a refusal changes nothing", async () => {
  const path = file("edit.yaml", good);
  expect((await run(["tasks", "add-collection", "a", "z", "--file", path])).code).toBe(0);
  expect((await run(["tasks", "remove-collection", "a", "w", "--file", path])).code).toBe(0);
  expect((await run(["tasks", "add-database", "New_Db", "p", "q", "--file", path])).code).toBe(0);
  const text = readFileSync(path, "utf8");
  expect(text).toBe(
    `${good.replace("- w", "- z")}\n  - id: new-db\n    database: New_Db\n    collections:\n      - p\n      - q\n`,
  );
  expect((await run(["tasks", "add-collection", "a", "z", "--file", path])).code).toBe(6);
  expect((await run(["tasks", "add-collection", "a", "--file", path])).code).toBe(2);
  expect((await run(["tasks", "toString"])).code).toBe(2);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
});

test("tasks import writes a file that isn't there yet; a loss is exit 3 unless it is accepted", async () => {
  const rules = [
    {
      "rule-type": "selection",
      "rule-action": "include",
      "object-locator": { "schema-name": "d", "table-name": "l%" },
    },
  ];
  const old = file("old.json", JSON.stringify([{ task_id: "a", "table-mappings": { rules } }]));
  const lost = await run(["tasks", "import", old]);
  expect(lost.code).toBe(3);
  expect(lost.err).toContain("NOT CARRIED OVER");
  expect((await run(["tasks", "import", old, "--accept-losses"])).code).toBe(0);
  const names = file("names.txt", "# the source\nd.log\n\nd.x\n");
  const target = join(folder, "imported.yaml");
  expect((await run(["tasks", "import", old, "--names", names, "--out", target])).code).toBe(0);
  expect((await run(["validate", target])).code).toBe(0);
  expect((await run(["tasks", "import", old, "--names", names, "--out", target])).code).toBe(2);
});

test("tasks show gives mappings and settings as DMS takes them", async () => {
  const { out } = await run(["tasks", "show", "a", "--env", "prod", "--file", file("good.yaml", good)]);
  const { tasks } = JSON.parse(out);
  expect(tasks).toMatchObject([{ id: "a", targetEndpoint: "documentdb-shop", running: true }]);
  expect(tasks[0].tableMappings.rules.length).toBe(2);
  expect((await run(["tasks", "show", "--env", "nowhere"])).code).toBe(2);
});

// Processor time, not the clock, and the best of three: other work on the machine must not fail it.
test("500 tasks: validate and plan take under a second of processor each, start included", async () => {
  const base = file("many.yaml", manyTasks(500));
  const head = file("many-changed.yaml", manyTasks(500, true));
  const best = async (args: readonly string[], said: string) => {
    let cpuMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3 && cpuMs >= 1000; round++) {
      const result = await run(args);
      expect(result.out).toContain(said);
      cpuMs = Math.min(cpuMs, result.cpuMs);
    }
    return cpuMs;
  };
  expect(await best(["validate", base], "valid")).toBeLessThan(1000);
  const planning = ["plan", "--base", base, "--head", head, "--markdown"];
  expect(await best(planning, "500 to modify-and-resume")).toBeLessThan(1000);
}, 60_000);
