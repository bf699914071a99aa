import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { JournalEntry } from "../../../sandbox/aws/journal.ts";
import { awsVariables } from "../../../sandbox/aws/test-server.ts";
import { TestTerraform } from "../../support/terraform.ts";
import { Container, Disk } from "../container.ts";
import { waitUntil } from "../machine.ts";
import type { Artifact } from "./release.ts";

const programs = "/opt/first-boot";
export const releaseBucket = "roundtrip-releases";
const region = "us-east-1";
export const environmentParameter = "/roundtrip/dev/environment";

/**
 * A machine before its first boot: its user data made by Terraform, its release in the S3 stand-in, systemd as pid 1. cloud-init
 * itself isn't there: `firstBoot` does what it does with user data, once, as root.
 */
export class TestHost implements AsyncDisposable {
  #container: Container | undefined;

  private constructor(
    readonly world: TestTerraform,
    readonly userData: string,
    readonly disk: Disk,
    readonly programFolder: string,
  ) {}

  /** `userData` makes the machine by Terraform and gives what cloud-init would get. */
  static async start(
    artifacts: readonly Artifact[],
    userData: (world: TestTerraform) => Promise<string>,
  ): Promise<TestHost> {
    const world = await TestTerraform.start();
    try {
      await world.createBucket(releaseBucket);
      const [text, programFolder] = [await userData(world), await buildAws()];
      const disk = new Disk(mkdtempSync(join(tmpdir(), "roundtrip-first-boot-")));
      const host = new TestHost(world, text, disk, programFolder);
      host.#writeAws();
      for (const each of artifacts) await host.putObject(each.key, each.content);
      return host;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Switches the machine on. */
  async boot(): Promise<void> {
    this.#container = await Container.boot({ [programs]: this.programFolder }, this.disk.directory);
  }

  /** Gives it a block device of this machine under a name of its own. */
  async attach(device: string, name: string): Promise<void> {
    const { rdev } = statSync(device);
    const [major, minor] = [(rdev >> 8) & 0xfff, rdev & 0xff];
    const make = `mkdir -p ${dirname(name)}; [ -b ${device} ] || mknod ${device} b ${major} ${minor}; ln -sfn ${device} ${name}`;
    const made = await this.run("sh", "-c", make);
    if (made.status !== 0) throw new Error(`attach ${device}: ${made.stderr}`);
  }

  async powerOff(): Promise<void> {
    await this.#container?.[Symbol.asyncDispose]();
    this.#container = undefined;
  }

  /** What cloud-init does with a script it is given: writes it among the instance's own and runs it as root. */
  async runUserData(): Promise<{ stdout: string; stderr: string; status: number }> {
    const script = "/var/lib/cloud/instance/scripts/part-001";
    this.write(script, this.userData, 0o700);
    return this.run(script);
  }

  run(...argv: string[]): Promise<{ stdout: string; stderr: string; status: number }> {
    if (!this.#container) throw new Error("the machine is off");
    return this.#container.run(...argv);
  }

  /** Runs the installer as an upgrade does, or a person. */
  install(): Promise<{ stdout: string; stderr: string; status: number }> {
    return this.run("/opt/roundtrip/install/install.sh");
  }

  read(path: string): string {
    return readFileSync(this.disk.directory + path, "utf8");
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.disk.directory + path), { recursive: true });
    writeFileSync(this.disk.directory + path, content, { mode });
  }

  /** Changes what the machine is to install, as an upgrade does: keys and values of release.env. */
  release(values: Readonly<Record<string, string>>): void {
    const path = "/etc/roundtrip/release.env";
    const lines = this.read(path).split("\n");
    const kept = lines.filter((line) => !(line.split("=")[0]! in values) && line !== "");
    const given = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    this.write(path, `${[...kept, ...given].join("\n")}\n`);
  }

  /** Where the worker's place leads to. */
  async worker(): Promise<string> {
    return (await this.run("readlink", "/opt/roundtrip/bin/roundtrip-worker")).stdout.trim();
  }

  async putObject(key: string, content: Uint8Array): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: releaseBucket, Key: key, Body: content }));
  }

  async putEnvironment(document: object): Promise<void> {
    const client = new SSMClient({ region, endpoint: this.world.aws.url });
    const Value = JSON.stringify(document);
    await client.send(
      new PutParameterCommand({ Name: environmentParameter, Value, Type: "String", Overwrite: true }),
    );
  }

  /** What the machine got from S3 since the stand-in started, in order. */
  async fetched(): Promise<string[]> {
    const entries = (await this.world.aws.control("GET", "journal")) as JournalEntry[];
    return entries
      .filter(
        ({ service, operation, status }) => service === "s3" && operation === "GetObject" && status === 200,
      )
      .map(({ key }) => key);
  }

  arm(fault: object): Promise<unknown> {
    return this.world.aws.control("POST", "faults", fault);
  }

  waitFor(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    return waitUntil(what, holds, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerOff();
    this.disk[Symbol.dispose]();
    await this.world[Symbol.asyncDispose]();
    Bun.spawnSync(["rm", "-rf", this.programFolder]);
  }

  get #s3(): S3Client {
    return new S3Client({ region, endpoint: this.world.aws.url, forcePathStyle: true });
  }

  /** `aws` on the machine's PATH, which finds the stand-in and its credentials as the real one finds AWS's. */
  #writeAws(): void {
    const variables = Object.entries(awsVariables(this.world.aws.url));
    const exported = variables.map(([name, value]) => `export ${name}='${value}'`).join("\n");
    this.write(
      "/usr/bin/aws",
      `#!/bin/sh\n${exported}\nexec ${programs}/bun ${programs}/aws.js "$@"\n`,
      0o755,
    );
  }
}

async function buildAws(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-aws-"));
  chmodSync(folder, 0o755);
  const built = await Bun.build({
    entrypoints: [join(import.meta.dirname, "../fixtures/aws.ts")],
    target: "bun",
    outdir: folder,
    naming: "[name].js",
  });
  if (!built.success) throw new Error(`bundle the stand-in for aws: ${built.logs.join("\n")}`);
  const bun = join(folder, "bun");
  try {
    linkSync(process.execPath, bun);
  } catch {
    // Another file system: a copy does as well.
    copyFileSync(process.execPath, bun);
  }
  return folder;
}
