import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoundtripError } from "../../core/errors.ts";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../../tests/support/terraform.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { TerraformInfrastructure, type TerraformOptions } from "./infrastructure.ts";

setDefaultTimeout(60_000);

const password = "never-to-be-shown-7391";

function configuration(endpoints: readonly string[], database = "shop"): Record<string, string> {
  const resource = (id: string) => `
    resource "aws_dms_endpoint" "${id}" {
      endpoint_id   = "${id}"
      endpoint_type = "target"
      engine_name   = "docdb"
      server_name   = "documentdb.test"
      port          = 27017
      username      = "replication"
      password      = var.password
      database_name = "${database}"
    }`;
  return {
    "main.tf": `
      terraform {
        required_providers { aws = { source = "hashicorp/aws" } }
      }
      variable "password" {
        type      = string
        sensitive = true
      }
      ${endpoints.map(resource).join("\n")}`,
  };
}

describe.skipIf(!terraformProgram)(`Terraform behind the port Infrastructure${whyNoTerraform}`, () => {
  let world: TestTerraform;
  let roots = 0;
  beforeAll(async () => {
    world = await TestTerraform.start();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  function root(endpoints: readonly string[]): string {
    roots++;
    return world.root(configuration(endpoints), `root-${roots}`);
  }

  function open(directory: string, more: Partial<TerraformOptions> = {}, lines: string[] = []) {
    return new TerraformInfrastructure({
      directory,
      // The last one would turn every plan into one that destroys, were it handed on.
      environment: {
        ...process.env,
        ...world.environment,
        TF_VAR_password: password,
        TF_CLI_ARGS_plan: "-destroy",
      },
      lockTimeoutSeconds: 0,
      onProgress: (line) => lines.push(line),
      ...more,
    });
  }

  async function refusal(action: Promise<unknown>): Promise<RoundtripError> {
    const error = await action.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toHaveProperty("kind");
    return error as RoundtripError;
  }

  async function endpointsInAws(): Promise<string[]> {
    const journal = (await world.aws.control("GET", "journal")) as {
      operation: string;
      status: number;
      key: string;
    }[];
    return journal
      .filter(({ operation, status }) => operation === "CreateEndpoint" && status === 200)
      .map(({ key }) => key);
  }

  test("a plan says what would be made and makes nothing; apply makes exactly that; the next plan is empty", async () => {
    const directory = root(["first-target"]);
    const lines: string[] = [];
    using infrastructure = open(directory, {}, lines);
    expect(await infrastructure.plan()).toEqual([
      {
        address: "aws_dms_endpoint.first-target",
        type: "aws_dms_endpoint",
        action: "create",
        identifier: "first-target",
        attributes: expect.any(Array),
      },
    ]);
    expect((await endpointsInAws()).some((key) => key.includes("first-target"))).toBe(false);
    await infrastructure.apply();
    expect((await endpointsInAws()).some((key) => key.includes("first-target"))).toBe(true);
    expect(lines).toContainEqual(
      expect.stringMatching(/^aws_dms_endpoint.first-target: Creation complete after/),
    );
    expect(await infrastructure.plan()).toEqual([]);
  });

  test("a plan is applied once", async () => {
    using infrastructure = open(root(["once-target"]));
    await infrastructure.plan();
    await infrastructure.apply();
    expect(await refusal(infrastructure.apply())).toMatchObject({ kind: "refused", wayOut: "plan first" });
  });

  test("apply without a plan is refused", async () => {
    using infrastructure = open(root(["unplanned-target"]));
    expect(await refusal(infrastructure.apply())).toMatchObject({ kind: "refused" });
    expect((await endpointsInAws()).some((key) => key.includes("unplanned"))).toBe(false);
  });

  test("a plan that has become stale is refused and changes nothing", async () => {
    const directory = root(["stale-target"]);
    using first = open(directory);
    await first.plan();
    using second = open(directory);
    await second.plan();
    await second.apply();
    const before = (await endpointsInAws()).length;
    const error = await refusal(first.apply());
    expect(error).toMatchObject({ kind: "refused", wayOut: "plan again and have that plan reviewed" });
    expect((await endpointsInAws()).length).toBe(before);
  });

  test("a lock another run holds is refused with its holder and the way out", async () => {
    const directory = root(["locked-target"]);
    using holder = open(directory);
    await holder.plan();
    await world.aws.control("POST", "faults", {
      operation: "CreateEndpoint",
      keyPattern: "locked-target",
      action: { delayMs: 7000 },
    });
    const applying = holder.apply();
    await waitFor("the lock", () => existsSync(join(directory, ".terraform.tfstate.lock.info")));
    using other = open(directory);
    const error = await refusal(other.plan());
    // Who only looks takes no lock and waits for none.
    using onlooker = open(directory, { lock: false });
    expect(await onlooker.plan()).toHaveLength(1);
    expect(existsSync(join(directory, ".terraform.tfstate.lock.info"))).toBe(true);
    await applying;
    expect(error.kind).toBe("refused");
    expect(error.got).toMatch(/^lock [0-9a-f-]{36}, held by \S+@\S+ since .+ for OperationTypeApply$/);
    expect(error.wayOut).toContain("roundtrip unlock");
  });

  test("neither progress nor errors show a sensitive value; the plan file is private and goes", async () => {
    const before = new Set(readdirSync(tmpdir()));
    const lines: string[] = [];
    const infrastructure = open(root(["secret-target"]), {}, lines);
    const folder = join(
      tmpdir(),
      readdirSync(tmpdir()).find((name) => name.startsWith("roundtrip-terraform-") && !before.has(name)) ??
        "",
    );
    await infrastructure.plan();
    expect(statSync(join(folder, "plan")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await world.aws.control("POST", "faults", {
      operation: "CreateEndpoint",
      keyPattern: "secret-target",
      action: { status: 400, code: `InvalidParameter ${password}` },
    });
    const error = await refusal(infrastructure.apply());
    expect(error.message).toContain("InvalidParameter (sensitive value)");
    expect(`${error.message} ${String(error.cause)} ${lines.join("\n")}`).not.toContain(password);
    expect(existsSync(join(folder, "plan"))).toBe(false);
    infrastructure[Symbol.dispose]();
    expect(existsSync(folder)).toBe(false);
  });

  test("an interrupted apply finishes what is under way, and running again does the rest", async () => {
    const directory = root(["interrupted-target"]);
    using infrastructure = open(directory);
    await infrastructure.plan();
    await world.aws.control("POST", "faults", {
      operation: "CreateEndpoint",
      keyPattern: "interrupted-target",
      action: { delayMs: 1500 },
    });
    const stop = new AbortController();
    const applying = refusal(infrastructure.apply(stop.signal));
    await waitFor("the lock", () => existsSync(join(directory, ".terraform.tfstate.lock.info")));
    stop.abort();
    expect((await applying).kind).toBe("interrupted");
    expect(existsSync(join(directory, ".terraform.tfstate.lock.info"))).toBe(false);
    await infrastructure.plan();
    await infrastructure.apply();
    expect(await infrastructure.plan()).toEqual([]);
    expect(readFileSync(join(directory, "terraform.tfstate"), "utf8")).toContain("interrupted-target");
  });

  test("an object deleted behind Terraform's back is drift, and the next plan makes it again", async () => {
    const directory = root(["deleted-target"]);
    using infrastructure = open(directory);
    await infrastructure.plan();
    await infrastructure.apply();
    const state = JSON.parse(readFileSync(join(directory, "terraform.tfstate"), "utf8")) as {
      resources: { instances: { attributes: { endpoint_arn: string } }[] }[];
    };
    await world.callDms("DeleteEndpoint", {
      EndpointArn: state.resources[0]!.instances[0]!.attributes.endpoint_arn,
    });
    await waitFor("its end", async () => (await infrastructure.drift()).length > 0);
    expect(await infrastructure.drift()).toMatchObject([
      { address: "aws_dms_endpoint.deleted-target", action: "delete" },
    ]);
    expect(await infrastructure.plan()).toMatchObject([{ action: "create", identifier: "deleted-target" }]);
  });

  test("what the provider refuses is said with its place", async () => {
    using infrastructure = open(
      world.root(
        { "main.tf": configuration(["wrong-target"])["main.tf"]!.replace('"docdb"', '"documentdb"') },
        "wrong",
      ),
    );
    const error = await refusal(infrastructure.plan());
    expect(error).toMatchObject({ kind: "configuration", what: "plan with Terraform" });
    expect(error.got).toContain("aws_dms_endpoint.wrong-target: Invalid value for engine_name");
    expect(error.got).toContain("got documentdb");
  });

  test("a denied call is denied, a missing binary a matter of configuration", async () => {
    await world.aws.control("POST", "faults", {
      operation: "CreateEndpoint",
      keyPattern: "denied-target",
      action: { status: 403, code: "AccessDeniedException" },
    });
    using denied = open(root(["denied-target"]));
    await denied.plan();
    expect(await refusal(denied.apply())).toMatchObject({ kind: "denied" });
    using missing = open(root([]), { program: "terraform-that-is-not-there" });
    expect(await refusal(missing.plan())).toMatchObject({ kind: "configuration" });
  });
});
