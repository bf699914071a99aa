/** The lock of Terraform's state, left behind by an apply that was killed: freed when its holder is proved dead, and only then. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { livingProcesses, thisHolder } from "../../adapters/terraform/lock-holder.ts";
import { steerAws } from "../../sandbox/up/aws.ts";
import { bucket } from "../support/apply-provision.ts";
import { ApplyWorld } from "../support/apply-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { type TerraformRoot, terraformRoot } from "../support/terraform-root.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(180_000);

const lockKey = "state/dev.tfstate.tflock";
const backend = `
terraform {
  backend "s3" {
    bucket         = "${bucket}"
    key            = "state/dev.tfstate"
    region         = "us-east-1"
    use_path_style = true
    use_lockfile   = true
  }
}
`;
const yaml = (collections: string) =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${collections}]}\n`;

describe.skipIf(!terraformProgram)(`unlock of Terraform's state${whyNoTerraform}`, () => {
  let world: ApplyWorld;
  let root: TerraformRoot;
  beforeAll(async () => {
    world = await ApplyWorld.start();
    for (const collection of ["orders", "notes", "returns"])
      await world.source.db("shop").collection(collection).insertOne({ a: 1 });
    root = await terraformRoot(world, backend);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const words = () => ["--terraform", root.folder, "--var-file", root.variables];
  const apply = () => world.run([...words(), "--unreviewed"], { terraform: root.environment });

  async function unlock(...args: string[]): Promise<{ code: number; stderr: string }> {
    const program = join(import.meta.dirname, "../../scripts/roundtrip.ts");
    const child = Bun.spawn(
      [process.execPath, program, "unlock", "--env", "dev", "--lease-seconds", "3", ...words(), ...args],
      { env: { ...process.env, ...root.environment }, stdout: "ignore", stderr: "pipe" },
    );
    const stderr = await new Response(child.stderr).text();
    return { code: await child.exited, stderr };
  }

  const isLocked = async () => (await world.store.head(lockKey)) !== undefined;
  const fault = (operation: string, action: object, at: object = {}) =>
    steerAws(world.aws, "faults", { operation, times: 1, action, ...at });

  /** Ends what works in the root's folder, as a host that goes down would: nothing is saved, nothing let go. */
  function killTerraform(): void {
    const holder = thisHolder({
      operation: "OperationTypeApply",
      directory: realpathSync(root.folder),
      program: "terraform",
      lockTimeoutSeconds: 0,
    });
    const numbers = livingProcesses(holder).map((words) => Number(/process (\d+)/.exec(words)?.[1]));
    expect(numbers).not.toBeEmpty();
    for (const number of numbers) process.kill(number, "SIGKILL");
  }

  test("an apply killed alone in its first run: Terraform saves what it made and lets go, the next apply goes on", async () => {
    world.commit(yaml("orders"));
    // Before the effect: Terraform's next try makes the task while it has been told to end.
    await fault("CreateReplicationTask", { kill: "apply" });
    expect((await apply()).code).toBe(137);
    const finished = await apply();
    expect(finished.stderr).toContain("✓ shop.orders: 1 document");
    expect(finished.code).toBe(0);
    expect(await isLocked()).toBe(false);
  });

  test("an apply killed together with its Terraform leaves the lock; unlock frees it, and the next apply finishes", async () => {
    world.commit(yaml("orders, notes"));
    await fault("ModifyReplicationTask", { kill: "apply" });
    // Terraform's next try holds it up until it is killed, too.
    await fault("ModifyReplicationTask", { delayMs: 60_000 }, { nth: 2 });
    expect((await apply()).code).toBe(137);
    killTerraform();
    const freed = await unlock();
    expect(freed.stderr).toContain("no process of it lives on this machine");
    expect(freed.code).toBe(0);
    expect(await isLocked()).toBe(false);
    const finished = await apply();
    expect(finished.stderr).toContain("✓ shop.notes: 1 document");
    expect(finished.code).toBe(0);
    const nothing = await unlock();
    expect([nothing.code, nothing.stderr]).toEqual([
      0,
      expect.stringContaining("Terraform's state is not locked"),
    ]);
  });

  test("a lock that no run of ours made is refused, with who holds it and what to ask; it stays", async () => {
    const info = {
      ID: "5b1d6a52-9f3d-4f0e-8a63-1c8a3a6f0f11",
      Operation: "OperationTypeApply",
      Info: "",
      Who: "carol@laptop",
      Version: "1.11.4",
      Created: new Date().toISOString(),
      Path: `${bucket}/state/dev.tfstate`,
    };
    await world.store.put(lockKey, new TextEncoder().encode(JSON.stringify(info)));
    const refused = await unlock();
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`lock ${info.ID} of carol@laptop since`);
    expect(refused.stderr).toContain("no such run is written down");
    expect(refused.stderr).toContain("ask carol@laptop whether that Terraform still runs");
    expect(await isLocked()).toBe(true);
    await world.store.delete([lockKey]);
  });

  test("a holder that lives is refused: it holds the environment's lease, and its lock stays", async () => {
    world.commit(yaml("orders, notes, returns"));
    await fault("ModifyReplicationTask", { delayMs: 12_000 });
    const living = apply();
    await waitFor("its lock", isLocked, 60_000);
    const refused = await unlock();
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("is running apply");
    expect((await living).code).toBe(0);
  });
});
