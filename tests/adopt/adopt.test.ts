import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { readingPassword, writingPassword } from "./old-root.ts";
import { OldSetupWorld, roundtrip, type TaskFacts } from "./old-setup.ts";

setDefaultTimeout(240_000);

function textOf(folder: string): string {
  return readdirSync(folder)
    .filter((name) => !name.startsWith(".terraform"))
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? textOf(path) : readFileSync(path, "utf8")))
    .join("\n");
}

function expectNoSecret(text: string): void {
  expect(text).not.toContain(readingPassword);
  expect(text).not.toContain(writingPassword);
}

describe.skipIf(!terraformProgram)(`an old set-up becomes a root of its own${whyNoTerraform}`, () => {
  let world: OldSetupWorld;
  let before: Record<string, TaskFacts>;
  let journal: number;
  let folder: string;

  beforeAll(async () => {
    world = await OldSetupWorld.start();
    before = await world.facts();
    journal = await world.journalEnd();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  test("what is written is formatted, holds no secret, and names what stays", async () => {
    const adopted = await world.adopt("adopted", "--json");
    expect(adopted.stderr).not.toContain("NOT CARRIED OVER");
    expect(adopted.exitCode).toBe(0);
    folder = adopted.folder;
    const found = JSON.parse(adopted.stdout) as { stays: string[]; taken: { from: string; to: string }[] };
    expect(found.stays).toEqual([
      "aws_secretsmanager_secret.replication",
      "aws_secretsmanager_secret_version.replication",
    ]);
    expect(found.taken).toContainEqual({
      from: 'module.domain5_dms.aws_dms_replication_task.replication_task["cobranza-2"]',
      to: 'module.dms.aws_dms_replication_task.this["cobranza-2"]',
    });
    expectNoSecret(textOf(folder) + adopted.stdout + adopted.stderr);
    await world.terraform.succeed(folder, "fmt", "-check", "-diff", "-recursive");
    expect((await roundtrip("validate", join(folder, "tasks.yaml"))).exitCode).toBe(0);
    expect((await world.adopt("adopted")).exitCode).toBe(2);
  });

  test("an endpoint's id changed by hand is found by --check, by its address", async () => {
    const main = join(folder, "main.tf");
    const text = readFileSync(main, "utf8");
    await world.terraform.succeed(folder, "init");
    writeFileSync(main, text.replace('"test-mongodb"', '"test-mongodb-2"'));
    const check = await world.check(folder);
    expect(check.exitCode).toBe(3);
    expect(check.stdout).toContain("module.dms.aws_dms_endpoint.source");
    expect(check.stdout).toContain('module.dms.aws_dms_replication_task.this["firmas-1"]');
    expectNoSecret(check.stdout + check.stderr);
    writeFileSync(main, text);
  });

  test("the first plan replaces, creates and deletes nothing, and reaches no task; the second is empty", async () => {
    const check = await world.check(folder);
    expect(check.stdout + check.stderr).toContain("The plan may be applied (8 imported, 0 moved");
    // What an import doesn't say is false for the provider: it is noted in the state, DMS isn't asked.
    expect(check.stdout).toContain(
      'harmless: module.dms.aws_dms_replication_task.this["firmas-1"] (start_replication_task)',
    );
    expect(check.exitCode).toBe(0);
    await world.terraform.succeed(folder, "apply", "plan.bin");
    const second = await world.terraform.run(folder, "plan", "-detailed-exitcode");
    expect(second.stdout).toContain("No changes");
    expect(second.exitCode).toBe(0);
    const state = JSON.parse(readFileSync(join(folder, "terraform.tfstate"), "utf8")) as {
      resources: { mode: string }[];
    };
    // Of what is managed: the module's data source reads the writing user's secret, for endpoints that come later.
    expectNoSecret(JSON.stringify(state.resources.filter(({ mode }) => mode === "managed")));
  });

  test("the old root lets go and destroys nothing", async () => {
    world.takeOutOldModule();
    world.copyInto(join(folder, "forget"), world.root);
    const check = await world.check(world.root);
    expect(check.exitCode).toBe(0);
    expect(check.stdout).toContain("8 let go of");
    expect(check.plan).not.toContain('"delete"');
    await world.terraform.succeed(world.root, "apply", "plan.bin");
    expect(await world.terraform.plan(world.root)).toEqual({});
  });

  test("DMS was never asked for a change: the same tasks run on, nothing was loaded again, changes arrive", async () => {
    expect(await world.changesSince(0)).toContain("CreateReplicationTask");
    expect(await world.changesSince(journal)).toEqual([]);
    expect(await world.facts()).toEqual(before);
    await world.replicates();
  });

  test("a collection added later changes its own task and no other", async () => {
    const added = [
      "tasks",
      "add-collection",
      "cobranza-2",
      "refinanciados",
      "--file",
      join(folder, "tasks.yaml"),
    ];
    expect((await roundtrip(...added)).exitCode).toBe(0);
    expect(await world.terraform.plan(folder)).toEqual({
      'module.dms.aws_dms_replication_task.this["cobranza-2"]': "update",
    });
  });
});

describe.skipIf(!terraformProgram)(`an old set-up goes on in the same state${whyNoTerraform}`, () => {
  test.each([
    [
      "moved where the state allows it, let go of and imported otherwise",
      false,
      "3 imported, 5 moved, 3 let go of",
    ],
    ["tasks that Terraform has started aren't stopped by it", true, "6 imported, 2 moved, 6 let go of"],
  ])("%s; nothing is touched in DMS", async (_, startedByTerraform, counts) => {
    await using world = await OldSetupWorld.start({ startedByTerraform });
    const [before, journal] = [await world.facts(), await world.journalEnd()];
    const adopted = await world.adopt("adopted", "--same-state");
    expect(adopted.exitCode).toBe(0);
    expectNoSecret(textOf(adopted.folder));
    joinOldRoot(world, adopted.folder);
    await world.terraform.succeed(world.root, "init");
    const check = await world.check(world.root);
    expect(check.stdout + check.stderr).toContain(`The plan may be applied (${counts}`);
    expect(check.exitCode).toBe(0);
    await world.terraform.succeed(world.root, "apply", "plan.bin");
    expect(await world.terraform.plan(world.root)).toEqual({});
    expect(await world.changesSince(journal)).toEqual([]);
    expect(await world.facts()).toEqual(before);
    await world.replicates();
  });
});

/** What the page says: the old code without its DMS module, and the new beside it, here in one file. */
function joinOldRoot(world: OldSetupWorld, folder: string): void {
  const modules = join(import.meta.dirname, "../../terraform/modules");
  world.takeOutOldModule();
  const old = readFileSync(join(world.root, "main.tf"), "utf8");
  world.copyInto(folder, world.root);
  const main = readFileSync(join(world.root, "main.tf"), "utf8");
  const joined = main.replaceAll(/source( +)= "[^"]*\/modules\//g, `source$1= "${modules}/`);
  writeFileSync(join(world.root, "main.tf"), `${old}\n${joined}`);
}
