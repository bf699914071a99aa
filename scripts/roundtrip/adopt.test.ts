import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rule, source, stateText, target, task } from "../../core/adopt/testing.ts";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";

setDefaultTimeout(30_000);

async function run(...parameters: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([process.execPath, "scripts/roundtrip.ts", "adopt", ...parameters], {
    cwd: join(import.meta.dirname, "../.."),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}

function world(): { out: string; given: string[] } {
  const folder = temporaryFolder("adopt-command");
  const old = task("shop-orders", "shop", [rule("shop", "orders"), rule("shop", "items")]);
  const [state, tasks, out] = ["state.json", "tasks.json", "out"].map((name) => join(folder, name));
  writeFileSync(state!, stateText(source(), target("shop", "shop"), old));
  const rules = [rule("shop", "orders")];
  writeFileSync(
    tasks!,
    JSON.stringify([{ task_id: "shop-orders", "table-mappings": { rules }, target_endpoint_key: "shop" }]),
  );
  return { out: out!, given: ["--state", state!, "--tasks", tasks!, "--env", "qa", "--out", out!] };
}

test("with a loss nothing is written and the loss is named; accepted, it stands in the page", async () => {
  const { out, given } = world();
  const refused = await run(...given);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('NOT CARRIED OVER: task "shop-orders": the state has shop.items');
  expect(refused.stderr).toContain("1 thing that can't be, named above; nothing was written");
  expect(existsSync(out)).toBe(false);
  const accepted = await run(...given, "--accept-losses", "--json");
  expect(accepted.code).toBe(0);
  expect((JSON.parse(accepted.stdout) as { written: string[] }).written).toContain("forget/removed.tf");
  expect(readFileSync(join(out, "README.md"), "utf8")).toContain("## Not carried over");
});

test("a folder that holds something is left alone", async () => {
  const { out, given } = world();
  mkdirSync(out);
  writeFileSync(join(out, "main.tf"), "mine");
  const refused = await run(...given, "--accept-losses");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("a folder with 1 file");
  expect(readFileSync(join(out, "main.tf"), "utf8")).toBe("mine");
});

test("a file that is no plan ends with 6, a missing one with 2", async () => {
  const { given } = world();
  expect((await run("--check", given[1]!)).code).toBe(6);
  expect((await run("--check", "no-such-plan.json")).code).toBe(2);
});
