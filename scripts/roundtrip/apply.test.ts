import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Environment } from "../../core/failback/documents.ts";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";
import { applyCommand } from "./apply.ts";
import { terraformFor } from "./terraform.ts";

const command = applyCommand(() => {
  throw new Error("nothing gets that far");
});
const defaults = { head: "HEAD", file: "tasks.yaml", mode: "run", "lease-seconds": "15" };

async function refusal(values: object, positionals: string[] = []): Promise<string> {
  return command.run({ ...defaults, ...values }, positionals).then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
}

describe("the command line of apply", () => {
  test("is refused where it leaves open what is meant", async () => {
    expect(await refusal({})).toBe(
      "choose the environment: expected arguments as --help shows them, got no --env. Way out: add --env <name>",
    );
    expect(await refusal({ env: "dev" }, ["now"])).toContain("take options only");
    expect(await refusal({ env: "dev", mode: "try" })).toContain("take --mode");
    expect(await refusal({ env: "dev", digest: "4f" })).toBe(
      "take --digest: expected arguments as --help shows them, got 4f. Way out: the digest as roundtrip plan shows it: sha256: and 64 hex digits",
    );
    const digest = `sha256:${"a".repeat(64)}`;
    expect(await refusal({ env: "dev", digest, unreviewed: true })).toBe(
      "choose one: expected arguments as --help shows them, got --digest and --unreviewed. Way out: give --digest when there was a review",
    );
  });
});

describe("Terraform of an environment", () => {
  const environment = { environment: "dev" } as Environment;
  const say = () => {};

  test("must be where it is said to be", () => {
    const folder = temporaryFolder("roundtrip-terraform");
    expect(() => terraformFor(environment, { terraform: join(folder, "stack") }, say)).toThrow(
      `find the root module of Terraform: expected something at ${folder}/stack, got nothing. Way out: run this from the repository's root, or name the place with --terraform`,
    );
    expect(() =>
      terraformFor(environment, { terraform: folder, "var-file": [join(folder, "dev.tfvars")] }, say),
    ).toThrow(
      `find the variables of Terraform: expected something at ${folder}/dev.tfvars, got nothing. Way out: run this from the repository's root, or name the place with --var-file`,
    );
    const backend = { terraform: folder, "var-file": [folder], "backend-config": ["bucket"] };
    expect(() => terraformFor(environment, backend, say)).toThrow("take --backend-config");
  });
});
