import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { terraformProgram } from "../support/terraform.ts";
import { containerObstacle, containerRoot } from "./container.ts";
import { environmentParameter, releaseBucket, TestHost } from "./first-boot/host.ts";
import { artifact, cloudwatchAgent, databaseTools, namesOf, plainWorker } from "./first-boot/release.ts";
import { productUnitFiles, userDataOf } from "./first-boot/user-data.ts";
import { builtWorker } from "./product-units.ts";

const obstacle =
  containerObstacle() ??
  (existsSync(containerRoot) ? undefined : "needs `make test-systemd` once") ??
  (terraformProgram ? undefined : "needs terraform on PATH") ??
  (existsSync(builtWorker) ? undefined : "needs dist/roundtrip-worker (make build)");

/** One machine from its first boot on; the scenarios follow each other as they do in its life. */
describe.skipIf(obstacle !== undefined)(`a host's set-up${obstacle ? ` (skipped: ${obstacle})` : ""}`, () => {
  const seenByAgent = "/root/seen-by-the-agent";
  let host: TestHost;
  let first: ReturnType<typeof plainWorker>;
  const status = () => host.read("/opt/roundtrip/install/status");
  const active = async (unit: string) => (await host.run("systemctl", "is-active", unit)).stdout.trim();

  beforeAll(async () => {
    first = artifact("1.0.0/roundtrip-worker", readFileSync(builtWorker));
    const artifacts = {
      worker: first,
      database_tools: databaseTools(),
      ca_bundle: artifact("global-bundle.pem", "-----BEGIN CERTIFICATE-----\n"),
      cloudwatch_agent: cloudwatchAgent(),
    };
    host = await TestHost.start(Object.values(artifacts), (world) =>
      userDataOf(world, {
        region: "us-east-1",
        bucket: releaseBucket,
        environment_parameter: environmentParameter,
        log_group: "/roundtrip/dev/hosts",
        retry_seconds: 0,
        units: productUnitFiles(),
        artifacts: namesOf(artifacts),
      }),
    );
    await host.boot();
  }, 120_000);
  afterAll(() => host?.[Symbol.asyncDispose](), 120_000);

  test("S3 away at the first boot: user data fails, says why, and leaves nothing half installed", async () => {
    const gone = { status: 503, code: "SlowDown" };
    await host.arm({ service: "s3", operation: "GetObject", times: 5, action: gone });
    const ran = await host.runUserData();
    expect(ran.status).not.toBe(0);
    expect(status()).toContain(
      "failed: expected s3://roundtrip-releases/1.0.0/roundtrip-worker within 5 tries, got: ",
    );
    expect(await host.worker()).toBe("");
    // systemd tries again in a minute, by itself.
    const state = await host.run(
      "systemctl",
      "show",
      "--value",
      "-p",
      "SubState",
      "roundtrip-install.service",
    );
    expect(state.stdout.trim()).toBe("auto-restart");
  }, 60_000);

  test("the first boot installs everything from S3; the worker runs, the environment's document comes with the apply", async () => {
    const ran = await host.runUserData();
    expect({ ...ran, stdout: "" }).toEqual({ status: 0, stdout: "", stderr: expect.any(String) });
    const worker = `/opt/roundtrip/versions/${first.sha256}/roundtrip-worker`;
    expect(await host.worker()).toBe(worker);
    const version = (await host.run("/opt/roundtrip/bin/roundtrip-worker", "--version")).stdout.trim();
    expect(version).toStartWith("roundtrip-worker ");
    expect(status()).toContain(` installed: ${version}, sha256 ${first.sha256}`);
    expect((await host.run("/opt/roundtrip/bin/mongodump", "--version")).stdout).toBe(
      "mongodump version: 100.9.5\n",
    );
    expect(host.read("/opt/roundtrip/certificates/global-bundle.pem")).toContain("BEGIN CERTIFICATE");
    for (const [name, text] of Object.entries(productUnitFiles()))
      expect({ name, text: host.read(`/etc/systemd/system/${name}`).trim() }).toEqual({
        name,
        text: text.trim(),
      });
    expect(host.read("/var/log/agent-called")).toContain(
      "file:/opt/roundtrip/install/amazon-cloudwatch-agent.json",
    );
    const agent = JSON.parse(host.read("/opt/roundtrip/install/amazon-cloudwatch-agent.json")) as object;
    expect(agent).toHaveProperty("metrics.namespace", "Roundtrip");
    expect(agent).toHaveProperty("metrics.append_dimensions.InstanceId", "${aws:InstanceId}");

    await host.putEnvironment({ version: 1, environment: "dev" });
    await host.run("systemctl", "start", "roundtrip-environment.service");
    expect(JSON.parse(host.read("/etc/roundtrip/environment.json"))).toEqual({
      version: 1,
      environment: "dev",
    });
    expect(await active("roundtrip-environment.timer")).toBe("active");
    expect(host.read("/etc/roundtrip/worker.env")).toBe("ROUNDTRIP_CONFIG=/etc/roundtrip/environment.json\n");
  }, 120_000);

  test("a unit of the product starts on it as it was installed, and reads the document", async () => {
    await host.run("systemctl", "start", "--no-block", "clean.service");
    await host.waitFor("clean.service to end", async () => (await active("clean.service")) === "failed");
    const { stdout } = await host.run("journalctl", "--no-pager", "-u", "clean.service");
    // The document of this test names no bucket: the worker got as far as reading it.
    expect(stdout).toContain("a text in region");
  }, 60_000);

  test("the second boot replaces nothing and fetches nothing; no runbook finds yesterday's document", async () => {
    const before = (await host.run("stat", "-c", "%i %Y", await host.worker())).stdout;
    const link = (await host.run("stat", "-c", "%i", "/opt/roundtrip/bin/roundtrip-worker")).stdout;
    const fetched = await host.fetched();
    expect(fetched.length).toBe(4);
    host.write(
      "/etc/systemd/system/amazon-ssm-agent.service",
      `[Service]\nExecStart=/bin/sh -c "cp /etc/roundtrip/environment.json ${seenByAgent}; sleep 600"\n[Install]\nWantedBy=multi-user.target\n`,
    );
    await host.run("systemctl", "enable", "amazon-ssm-agent.service");
    await host.powerOff();
    await host.putEnvironment({ version: 1, environment: "dev", bucket: "given-while-it-was-off" });
    await host.boot();
    await host.waitFor("the installer", async () => (await active("roundtrip-install.service")) === "active");
    expect(await host.fetched()).toEqual(fetched);
    expect((await host.run("stat", "-c", "%i %Y", await host.worker())).stdout).toBe(before);
    expect((await host.run("stat", "-c", "%i", "/opt/roundtrip/bin/roundtrip-worker")).stdout).toBe(link);
    expect(host.read("/var/log/agent-called").trim().split("\n").length).toBe(1);
    // Whoever reaches it through SSM finds today's document.
    expect(host.read(seenByAgent)).toContain("given-while-it-was-off");
  }, 120_000);

  test("a worker with another checksum is refused and the old one stays", async () => {
    const second = plainWorker("1.1.0");
    await host.putObject(second.key, new TextEncoder().encode("#!/bin/sh\necho tampered >/tmp/ran\n"));
    host.release({ WORKER_KEY: second.key, WORKER_SHA256: second.sha256 });
    const ran = await host.install();
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`expected sha256 ${second.sha256}`);
    expect(ran.stderr.trim().split("\n").length).toBe(1);
    expect(status()).toContain("nothing was replaced");
    expect(await host.worker()).toContain(first.sha256);
    expect((await host.run("ls", "/tmp/ran")).status).not.toBe(0);
    // Under systemd it stays down: another try would fetch the same.
    await host.run("systemctl", "restart", "roundtrip-install.service");
    expect(
      (
        await host.run("systemctl", "show", "-p", "SubState,ExecMainStatus", "roundtrip-install.service")
      ).stdout
        .split("\n")
        .sort()
        .join(" ")
        .trim(),
    ).toBe("ExecMainStatus=6 SubState=failed");
  }, 60_000);

  test("S3 failing twice, then answering: installed at the third try", async () => {
    const second = plainWorker("1.1.0");
    await host.putObject(second.key, second.content);
    await host.arm({
      service: "s3",
      operation: "GetObject",
      times: 2,
      action: { status: 503, code: "SlowDown" },
    });
    const ran = await host.install();
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    expect(ran.stdout).toContain("try 2 of 5");
    expect(ran.stdout).not.toContain("try 3 of 5");
    expect(await host.worker()).toContain(second.sha256);
    // The version before is still there to go back to.
    expect(
      (await host.run("test", "-x", `/opt/roundtrip/versions/${first.sha256}/roundtrip-worker`)).status,
    ).toBe(0);
  }, 60_000);

  test("user data run again undoes no upgrade", async () => {
    const before = host.read("/etc/roundtrip/release.env");
    const ran = await host.runUserData();
    expect(ran.status).toBe(0);
    expect(host.read("/etc/roundtrip/release.env")).toBe(before);
    expect(await host.worker()).toContain(plainWorker("1.1.0").sha256);
  }, 60_000);

  test("S3 away for good: five tries, one message, exit code 4, the old one stays", async () => {
    host.release({
      WORKER_KEY: "nothing/roundtrip-worker",
      WORKER_SHA256: "0".repeat(64),
      RETRY_SECONDS: "0",
    });
    const ran = await host.install();
    expect(ran.status).toBe(4);
    expect(ran.stdout.match(/try \d of 5/g)?.length).toBe(5);
    expect(ran.stderr.trim().split("\n").length).toBe(1);
    expect(ran.stderr).toContain("expected s3://roundtrip-releases/nothing/roundtrip-worker within 5 tries");
    expect(await host.worker()).toContain(plainWorker("1.1.0").sha256);
  }, 60_000);

  test("a worker of another machine is refused before the old one is let go", async () => {
    const foreign = artifact("1.2.0/roundtrip-worker", "\u007fELF of another machine");
    await host.putObject(foreign.key, foreign.content);
    host.release({ WORKER_KEY: foreign.key, WORKER_SHA256: foreign.sha256 });
    const ran = await host.install();
    expect({ status: ran.status, lines: ran.stderr.trim().split("\n").length }).toEqual({
      status: 6,
      lines: 1,
    });
    expect(ran.stderr).toContain("to run on");
    expect(await host.worker()).toContain(plainWorker("1.1.0").sha256);
  }, 60_000);

  test("an archive that is none, or lacks a program, is refused with one message, too", async () => {
    const good = host.read("/etc/roundtrip/release.env");
    host.release({ WORKER_KEY: first.key, WORKER_SHA256: first.sha256 });
    for (const [archive, message] of [
      [artifact("1.2.0/tools.tgz", "no archive"), "to be a tar archive packed with gzip"],
      [databaseTools(["mongodump", "bsondump"]), "expected mongorestore in s3://"],
    ] as const) {
      await host.putObject(archive.key, archive.content);
      host.release({ DATABASE_TOOLS_KEY: archive.key, DATABASE_TOOLS_SHA256: archive.sha256 });
      const ran = await host.install();
      expect({ status: ran.status, message: ran.stderr }).toEqual({
        status: 6,
        message: expect.stringContaining(message),
      });
      expect(status()).toContain(message);
    }
    host.write("/etc/roundtrip/release.env", good);
    expect((await host.run("/opt/roundtrip/bin/mongorestore")).stdout).toContain("100.9.5");
  }, 60_000);

  test("a document that can't be read, or is none, leaves the one that is there", async () => {
    const before = host.read("/etc/roundtrip/environment.json");
    await host.arm({
      service: "ssm",
      operation: "GetParameter",
      action: { status: 500, code: "InternalServerError" },
    });
    const away = await host.run("/opt/roundtrip/install/fetch-environment.sh");
    expect({ status: away.status, same: host.read("/etc/roundtrip/environment.json") === before }).toEqual({
      status: 4,
      same: true,
    });
    await host.putEnvironment([]);
    const wrong = await host.run("/opt/roundtrip/install/fetch-environment.sh");
    expect({ status: wrong.status, same: host.read("/etc/roundtrip/environment.json") === before }).toEqual({
      status: 6,
      same: true,
    });
  }, 60_000);
});
