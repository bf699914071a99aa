import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { StackWorld, stateBucket } from "../support/stack-world.ts";
import { type TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

const repository = join(import.meta.dirname, "../..");
const workflows = join(repository, ".github/workflows");

interface Job {
  readonly file: string;
  /** GitHub environment, `ENV` in the place of its name. */
  readonly environment: string | undefined;
  /** Takes a role of AWS by GitHub's token. */
  readonly signsIn: boolean;
  /** Which parts of `roundtrip` it runs. */
  readonly commands: readonly string[];
}

interface Written {
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

const jobs: readonly Job[] = readdirSync(workflows).flatMap((file) => {
  const { jobs: written } = parse(readFileSync(join(workflows, file), "utf8")) as {
    jobs: Readonly<Record<string, Written>>;
  };
  return Object.values(written)
    .filter(({ steps }) => steps !== undefined)
    .map(({ environment, permissions = {}, steps = [] }) => ({
      file,
      environment: environment?.replace(/\$\{\{ (?:inputs|matrix)\.environment \}\}/, "ENV"),
      signsIn:
        permissions["id-token"] === "write" || steps.some(({ uses = "" }) => uses.endsWith("/sign-in")),
      commands: steps.flatMap(({ run = "" }) =>
        [...run.matchAll(/\b(?:in-summary|roundtrip|release)\.ts ([a-z-]+)/g)].map(([, command]) => command!),
      ),
    }));
});

/** What each role's rights were counted for (permissions.test.ts, apply-role.test.ts), by GitHub environment. */
const commandsOf: Readonly<Record<string, readonly string[]>> = {
  "plan-ENV": ["drift", "plan", "readiness", "status"],
  "look-ENV": ["logs", "preflight"],
  ENV: ["apply", "unlock"],
  "operations-ENV": ["runbook"],
  "failback-ENV": ["runbook"],
  release: ["build", "publish", "upload"],
};

describe("workflows", () => {
  test("whoever takes a role has a GitHub environment, and whoever has one takes a role", () => {
    expect(jobs.filter(({ signsIn }) => signsIn).length).toBeGreaterThan(15);
    expect(jobs.filter(({ signsIn, environment }) => signsIn !== (environment !== undefined))).toEqual([]);
  });

  test("in each GitHub environment run the commands its role's rights were counted for", () => {
    const found = Map.groupBy(
      jobs.filter(({ environment }) => environment !== undefined),
      ({ environment }) => environment!,
    );
    const commands = [...found].map(([environment, each]) => [
      environment,
      [...new Set(each.flatMap((job) => job.commands))].sort(),
    ]);
    expect(Object.fromEntries(commands)).toEqual(commandsOf);
  });
});

async function bootstrap(world: TestTerraform, terraform: string): Promise<void> {
  const folder = join(terraform, "bootstrap");
  await world.succeed(folder, "init");
  await world.succeed(
    folder,
    "apply",
    "-auto-approve",
    "-var=region=us-east-1",
    `-var=state_bucket_name=${stateBucket}`,
    "-var=releases_bucket_name=roundtrip-releases-example",
    '-var=github={ repository = "repo:example/shop", environments = ["dev"] }',
  );
}

describe.skipIf(!terraformProgram)(`roles that workflows take, as made for dev${whyNoTerraform}`, () => {
  let own: StackWorld;
  /** Conditions of each role that GitHub's token may take, by the role's name. */
  let trusted: Map<string, Record<string, Record<string, string | string[]>>>;
  beforeAll(async () => {
    own = await StackWorld.start("dev", bootstrap);
    await own.apply();
    const { Objects } = (await own.world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_iam_role",
    })) as { Objects: { ObjectId: string; Attributes: { assume_role_policy: string } }[] };
    const statements = Objects.map(({ ObjectId, Attributes }) => {
      const policy = JSON.parse(Attributes.assume_role_policy) as {
        Statement: { Action: string; Condition: Record<string, Record<string, string | string[]>> }[];
      };
      return { role: ObjectId, ...policy.Statement[0]! };
    });
    trusted = new Map(
      statements
        .filter(({ Action }) => Action === "sts:AssumeRoleWithWebIdentity")
        .map(({ role, Condition }) => [role, Condition]),
    );
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
  });

  const subject = "token.actions.githubusercontent.com:sub";
  const subjectsOf = (role: string) => [trusted.get(role)?.StringEquals?.[subject] ?? []].flat();

  test("are trusted by whole subjects and GitHub's audience, and by nothing looser", () => {
    for (const [role, conditions] of trusted)
      expect({ role, conditions }).toEqual({
        role,
        conditions: {
          StringEquals: {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            [subject]: expect.anything(),
          },
        },
      });
  });

  test("every GitHub environment of the workflows has one role, and no role trusts another", () => {
    const used = new Set(jobs.flatMap(({ environment }) => environment ?? []));
    const wanted = [...used].map((name) => `repo:example/shop:environment:${name.replace("ENV", "dev")}`);
    const given = [...trusted.keys()].flatMap(subjectsOf);
    expect(given.sort()).toEqual(wanted.sort());
  });

  test(".github/repository.yaml names these roles, each for its purpose", () => {
    const { environments } = parse(readFileSync(join(repository, ".github/repository.yaml"), "utf8")) as {
      environments: { dev: Record<string, { role: string }> };
    };
    const named = Object.entries(environments.dev).map(([purpose, { role }]) => {
      const environment = purpose === "apply" ? "dev" : `${purpose}-dev`;
      return [`repo:example/shop:environment:${environment}`, role.replace(/.*:role\//, "")];
    });
    // `releases` is left out of the example: one repository of several makes releases.
    const made = [...trusted.keys()]
      .flatMap((role) => subjectsOf(role).map((each) => [each, role]))
      .filter(([each]) => each !== "repo:example/shop:environment:release");
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(made));
  });
});
