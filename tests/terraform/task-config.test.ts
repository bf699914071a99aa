import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { declaredDatabases } from "../../core/provision/request.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { tableMappings } from "../../core/tasks/mappings.ts";
import { type EnvironmentName, environmentNames, nameOf } from "../../core/tasks/model.ts";
import { readTasks } from "../../core/tasks/read.ts";
import { dmsTaskSettings } from "../../core/tasks/task-settings.ts";
import { parseTasks, type Tasks } from "../../core/tasks/tasks.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(60_000);

const moduleFolder = join(import.meta.dirname, "../../terraform/modules/task-config");

/** What the module must give, computed by the code that plans and validates. */
function expected(tasks: Tasks, environment: EnvironmentName): object {
  const each = tasks.tasks.map((task) => {
    const { endpoint, owners, running, settings } = effectiveTask(tasks, task, environment);
    const mappings = tableMappings(task, settings.partitions);
    const dms = dmsTaskSettings(settings);
    const collections = mappings.rules
      .filter((rule) => rule["rule-type"] === "selection")
      .map((rule) => rule["object-locator"]["table-name"]);
    return [
      task.id,
      {
        database: task.database,
        endpoint_id: endpoint,
        owners,
        running,
        mappings,
        settings: dms,
        collections,
      },
    ] as const;
  });
  const declared = declaredDatabases(tasks);
  return {
    tasks: Object.fromEntries(each),
    target_endpoints: Object.fromEntries(
      each.map(([, { database, endpoint_id }]) => [endpoint_id, { database }]),
    ),
    databases: inBytes(declared, ({ name }) => name).map(({ name, collections }) => ({
      name,
      collections: inBytes(collections as { name: string }[], (each) => each.name),
    })),
  };
}

/** Terraform sorts by UTF-8. */
function inBytes<Item>(items: readonly Item[], name: (item: Item) => string): Item[] {
  return [...items].sort((left, right) => Buffer.compare(Buffer.from(name(left)), Buffer.from(name(right))));
}

interface Outputs {
  tasks: Record<
    string,
    { table_mappings?: string; replication_task_settings?: string; mappings: object; settings: object }
  >;
}

/** The JSON texts say what the objects say; then they are left out of the comparison. */
function withoutTexts(outputs: Outputs): object {
  const tasks = Object.entries(outputs.tasks).map(([id, task]) => {
    const { table_mappings, replication_task_settings, ...rest } = task;
    expect(JSON.parse(table_mappings!)).toEqual(rest.mappings);
    expect(JSON.parse(replication_task_settings!)).toEqual(rest.settings);
    return [id, rest] as const;
  });
  return { ...outputs, tasks: Object.fromEntries(tasks) };
}

describe.skipIf(!terraformProgram)(`module task-config${whyNoTerraform}`, () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "task-config-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function terraform(
    folder: string,
    ...parameters: string[]
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const child = Bun.spawn([terraformProgram!, ...parameters], {
      cwd: folder,
      env: { ...process.env, TF_CLI_ARGS: "-no-color", TF_CLI_CONFIG_FILE: "/dev/null", TF_INPUT: "0" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, stdout, stderr };
  }

  /** Evaluates many files for one environment in one run; by name of file. Gives Terraform's refusal instead when it refuses. */
  async function evaluate(
    name: string,
    files: Readonly<Record<string, string>>,
    environment: string,
  ): Promise<Record<string, Outputs> | string> {
    const folder = join(dir, name);
    mkdirSync(join(folder, "files"), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, "files", file), text);
    writeFileSync(
      join(folder, "main.tf"),
      `module "each" {
        source      = "${moduleFolder}"
        for_each    = fileset("\${path.module}/files", "*")
        tasks_file  = "\${path.module}/files/\${each.value}"
        environment = "${environment}"
      }
      output "each" { value = module.each }`,
    );
    expect((await terraform(folder, "init")).exitCode).toBe(0);
    const plan = await terraform(folder, "plan", "-out=plan.bin");
    if (plan.exitCode !== 0) return plan.stderr.replace(/[│╷╵\s]+/g, " ");
    const shown = await terraform(folder, "show", "-json", "plan.bin");
    const document = JSON.parse(shown.stdout) as {
      planned_values: { outputs: { each: { value: Record<string, Outputs> } } };
    };
    return document.planned_values.outputs.each.value;
  }

  test("the repository's tasks.yaml gives what roundtrip plans by, in every environment", async () => {
    const text = readFileSync(join(import.meta.dirname, "../../tasks.yaml"), "utf8");
    for (const environment of environmentNames) {
      const outputs = await evaluate(`own-${environment}`, { "tasks.yaml": text }, environment);
      expect(outputs).toBeObject();
      const { "tasks.yaml": own } = outputs as Record<string, Outputs>;
      expect(withoutTexts(own!)).toEqual(expected(parseTasks(text), environment));
    }
  });

  test("generated files give the same, whatever names, overrides and loads they have", async () => {
    const files: Record<string, string> = {};
    fc.assert(
      fc.property(tasksFiles, (file) => {
        const text = stringify(file, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" });
        try {
          parseTasks(text);
        } catch {
          fc.pre(false);
        }
        files[`${Object.keys(files).length}.yaml`] = text;
      }),
      { numRuns: 100, seed: 20_261_121 },
    );
    const environment = "qa";
    const outputs = await evaluate("generated", files, environment);
    if (typeof outputs === "string") throw new Error(outputs);
    expect(Object.keys(outputs).length).toBe(100);
    for (const [name, found] of Object.entries(outputs))
      expect({ name, ...withoutTexts(found) }).toEqual({
        name,
        ...expected(parseTasks(files[name]!), environment),
      });
  });

  const task = (collections: string, id = "shop", more = "") =>
    `version: 1\ntasks:\n  - id: ${id}\n    database: shop\n    owners: [team]\n    collections: [${collections}]\n${more}`;

  test("names that YAML 1.1 reads as something else are the same text, or refused with the fix", async () => {
    const names = [
      "on",
      "yes",
      "No",
      "y",
      "2024_01",
      "0x1F",
      "0o17",
      "1e3",
      "12:30",
      "2024-01-01",
      "1_000",
      "NaN",
    ];

    const refused: string[] = [];
    for (const [index, name] of names.entries()) {
      const text = task(name);
      const { tasks, problems } = readTasks(text);
      const isUnquoted = problems.some(({ code }) => code === "unquoted-name");
      if (!tasks && !isUnquoted) continue;
      const outputs = await evaluate(`bare-${index}`, { "tasks.yaml": text }, "dev");
      if (tasks) {
        if (typeof outputs === "string") throw new Error(outputs);
        expect({ name, ...withoutTexts(outputs["tasks.yaml"]!) }).toEqual({
          name,
          ...expected(tasks, "dev"),
        });
        continue;
      }
      refused.push(name);
      // Both say so: validate in the pull request, the module whatever was validated.
      expect({ name, outputs }).toEqual({
        name,
        outputs: expect.stringContaining("put quotes around names"),
      });
    }
    expect(refused).toEqual(["on", "yes", "No", "y", "2024-01-01"]);
  });

  test("what can't be right is refused with the way out", async () => {
    const twice = `${task("orders")}  - id: shop\n    database: shop\n    owners: [team]\n    collections: [returns]\n`;
    expect(await evaluate("twice", { "tasks.yaml": twice }, "dev")).toContain("expected each task id once");
    expect(await evaluate("same", { "tasks.yaml": task("orders, orders") }, "dev")).toContain(
      "expected each collection once",
    );
    expect(
      await evaluate("version", { "tasks.yaml": task("orders").replace("version: 1", "version: 2") }, "dev"),
    ).toContain("expected version: 1");
    expect(await evaluate("environment", { "tasks.yaml": task("orders") }, "staging")).toContain(
      "environment must be dev, qa or prod, got staging",
    );
    const nameless = task("orders").replace("database: shop", 'database: "___"');
    expect(await evaluate("nameless", { "tasks.yaml": nameless }, "dev")).toContain(
      "no letter or digit to name its endpoint by",
    );
    const shared = `${task("orders")}  - id: other\n    database: "SHOP"\n    owners: [team]\n    collections: [returns]\n`;
    expect(await evaluate("shared", { "tasks.yaml": shared }, "dev")).toContain(
      "two databases share an endpoint",
    );
  });

  test("two collections whose rule ids meet are refused", async () => {
    const [one, other] = collidingNames();
    expect(await evaluate("collision", { "tasks.yaml": task(`${one}, ${other}`) }, "dev")).toContain(
      "two collections of a task have the same rule id",
    );
  });
});

/** Two names with the same rule id, found by trying: some ten thousand names are enough among a thousand million ids. */
function collidingNames(): [string, string] {
  const seen = new Map<string, string>();
  for (let index = 0; ; index++) {
    const name = `c${index}`;
    const id = tableMappings({ database: "shop", collections: [{ name }] }).rules[0]!["rule-id"];
    const other = seen.get(id);
    if (other !== undefined) return [other, name];
    seen.set(id, name);
  }
}

const letters = [..."abzAZ019__%-.", "é", "ñ", "漢", "Ａ", "ﬁ", "😀", "$", "[", "]", "#", "'", "&", "<"];
const collectionName = fc
  .array(fc.constantFrom(...letters), { minLength: 1, maxLength: 12 })
  // No empty part between dots, and one spelling of each letter.
  .map((parts) => `n${parts.join("").normalize("NFC").replaceAll("..", "_")}n`);
const databaseName = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,10}$/);
const settingsWith = (...preparations: string[]) =>
  fc.record(
    {
      targetPreparation: fc.constantFrom(...preparations),
      lob: fc.oneof(
        fc.record(
          { mode: fc.constant("full"), chunkKilobytes: fc.integer({ min: 1, max: 1024 }) },
          { requiredKeys: ["mode"] },
        ),
        fc.record({ mode: fc.constant("limited"), maxKilobytes: fc.integer({ min: 1, max: 102_400 }) }),
      ),
      fullLoad: fc.record(
        {
          parallelCollections: fc.integer({ min: 1, max: 49 }),
          commitRate: fc.integer({ min: 1, max: 50_000 }),
        },
        { requiredKeys: [] },
      ),
      parallelLoad: fc.record({ partitions: fc.integer({ min: 2, max: 64 }) }),
    },
    { requiredKeys: [] },
  );
// prod never drops, so what every environment gets doesn't either.
const settings = settingsWith("do-nothing");
const override = fc.record({ running: fc.boolean(), settings }, { requiredKeys: [] });
const qaOverride = fc.record(
  { running: fc.boolean(), settings: settingsWith("do-nothing", "drop-tables") },
  { requiredKeys: [] },
);
const collection = fc.oneof(
  collectionName,
  fc.record(
    {
      name: collectionName,
      renamedFrom: fc.stringMatching(/^old[a-z0-9]{6,12}$/),
      loadOrder: fc.integer({ min: 0, max: 1000 }),
      parallelLoad: fc.oneof(
        fc.record({ partitions: fc.integer({ min: 1, max: 64 }) }),
        fc.record({
          boundaries: fc
            .uniqueArray(fc.stringMatching(/^[a-z0-9]{1,6}$/), { minLength: 1, maxLength: 3 })
            .map((each) => each.sort()),
        }),
      ),
    },
    { requiredKeys: ["name"] },
  ),
);
const tasksFiles = fc.record(
  {
    version: fc.constant(1),
    defaults: fc.record(
      { owners: fc.constant(["team-platform"]), running: fc.boolean(), settings },
      { requiredKeys: ["owners"] },
    ),
    tasks: fc.uniqueArray(
      fc.record(
        {
          id: fc.stringMatching(/^[a-z][a-z0-9]{1,8}$/),
          database: databaseName,
          owners: fc.constant(["team-own"]),
          collections: fc.uniqueArray(collection, { selector: nameOf, minLength: 1, maxLength: 6 }),
          running: fc.boolean(),
          settings,
          environments: fc.record({ dev: override, qa: qaOverride, prod: override }, { requiredKeys: [] }),
        },
        { requiredKeys: ["id", "database", "collections"] },
      ),
      { selector: ({ id }) => id, minLength: 1, maxLength: 4 },
    ),
  },
  { requiredKeys: ["version", "tasks", "defaults"] },
);
