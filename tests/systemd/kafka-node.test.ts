import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { terraformProgram } from "../support/terraform.ts";
import { containerObstacle, containerRoot } from "./container.ts";
import { environmentParameter, releaseBucket, TestHost } from "./first-boot/host.ts";
import { archive, namesOf, plainWorker } from "./first-boot/release.ts";
import { kafkaUserDataOf } from "./first-boot/user-data.ts";

/** A block device over a file of this machine. */
class Volume implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "roundtrip-volume-"));
  readonly device: string;

  constructor() {
    const image = join(this.#folder, "image");
    this.must("truncate", "-s", "64M", image);
    this.device = this.must("losetup", "-f", "--show", image).trim();
  }

  must(...command: string[]): string {
    const ran = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
    if (ran.exitCode !== 0) throw new Error(`${command.join(" ")}: ${ran.stderr.toString()}`);
    return ran.stdout.toString();
  }

  /** A digest of all of it, to see whether somebody wrote there. */
  digest(): string {
    return this.must("sh", "-c", `sha256sum ${this.device}`);
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["losetup", "-d", this.device]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function loopObstacle(): string | undefined {
  const found = Bun.spawnSync(["losetup", "-f"], { stdout: "pipe", stderr: "pipe" });
  return found.exitCode === 0 ? undefined : "needs loop devices";
}

const obstacle =
  containerObstacle() ??
  (existsSync(containerRoot) ? undefined : "needs `make test-systemd` once") ??
  (terraformProgram ? undefined : "needs terraform on PATH") ??
  loopObstacle();
const path = "/roundtrip/qa/kafka";

/** Java and Kafka are shell scripts here: what is looked at is the node that runs them. */
describe.skipIf(obstacle !== undefined)(`a Kafka node${obstacle ? ` (skipped: ${obstacle})` : ""}`, () => {
  let host: TestHost;
  let volume: Volume;
  let name: string;
  const status = () => host.read("/opt/roundtrip/install/status");
  const show = async (unit: string, property: string) =>
    (await host.run("systemctl", "show", "--value", "-p", property, unit)).stdout.trim();

  beforeAll(async () => {
    const artifacts = {
      worker: plainWorker("1.0.0"),
      java: archive("java-17.tgz", { "bin/java": "echo openjdk 17 >&2" }),
      kafka: archive("kafka_2.13-3.9.2.tgz", {
        "bin/zookeeper-server-start.sh": "exec sleep 600",
        "bin/kafka-server-start.sh": "exec sleep 600",
      }),
    };
    host = await TestHost.start(Object.values(artifacts), (world) =>
      kafkaUserDataOf(
        world,
        {
          region: "us-east-1",
          bucket: releaseBucket,
          environment_parameter: environmentParameter,
          retry_seconds: 1,
          ...namesOf(artifacts),
        },
        path,
      ),
    );
    name = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${/VOLUME_ID=(\S+)/.exec(host.userData)![1]!.replace("-", "")}`;
    volume = new Volume();
    await host.boot();
    await host.attach(volume.device, name);
  }, 120_000);
  afterAll(async () => {
    await host?.run("umount", "/var/lib/kafka");
    await host?.[Symbol.asyncDispose]();
    volume?.[Symbol.dispose]();
  }, 120_000);

  test("prepared by its user data: volume formatted and mounted, configuration as Terraform has it; nothing is started", async () => {
    // Only systemd's own start of it is confined; the script is what user data starts there.
    await host.runUserData();
    const ran = await host.install();
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: "" });
    expect(status()).toContain("prepared: node 1, volume vol-");
    expect((await host.run("findmnt", "-n", "-o", "SOURCE,FSTYPE", "/var/lib/kafka")).stdout.trim()).toBe(
      `${volume.device} ext4`,
    );
    expect((await host.run("cat", "/var/lib/kafka/zookeeper/myid")).stdout).toBe("1\n");
    expect(host.read("/etc/kafka/zookeeper.properties")).toMatch(
      /server\.1=(10\.[\d.]+):2888:3888;\1:2181\nserver\.2=.*\nserver\.3=/,
    );
    expect(host.read("/etc/kafka/server.properties")).toContain("broker.id=1\n");
    for (const unit of ["zookeeper.service", "kafka.service"]) {
      expect(
        (await host.run("systemd-analyze", "verify", `/etc/systemd/system/${unit}`)).stderr,
      ).not.toContain(unit);
      expect(await show(unit, "ActiveState")).toBe("inactive");
    }
    expect(await host.worker()).toMatch(/^\/opt\/roundtrip\/versions\/[0-9a-f]{64}\/roundtrip-worker$/);
    expect(host.read("/etc/roundtrip/worker.env")).toBe("ROUNDTRIP_CONFIG=/etc/roundtrip/environment.json\n");
    expect(await show("roundtrip-environment.timer", "ActiveState")).toBe("active");
  }, 60_000);

  test("started, both run as kafka on the volume, each with a copy of its configuration", async () => {
    expect((await host.run("systemctl", "start", "kafka.service")).status).toBe(0);
    for (const [unit, file] of [
      ["zookeeper", "zookeeper.properties"],
      ["kafka", "server.properties"],
    ])
      expect((await host.run("cmp", `/etc/kafka/${file}`, `/run/${unit}/${file}`)).status).toBe(0);
    for (const unit of ["zookeeper.service", "kafka.service"]) {
      expect(await show(unit, "ActiveState")).toBe("active");
      const user = await host.run("ps", "-o", "user=", "-p", await show(unit, "MainPID"));
      if (user.status === 0) expect(user.stdout.trim()).toBe("kafka");
    }
    await host.run("systemctl", "stop", "kafka.service", "zookeeper.service");
  }, 60_000);

  test("prepared again after the volume went away and came back: what is on it stays, the units don't start without it", async () => {
    await host.run("touch", "/var/lib/kafka/log/kept");
    const fetched = await host.fetched();
    await host.run("umount", "/var/lib/kafka");
    await host.run("systemctl", "start", "zookeeper.service");
    expect(await show("zookeeper.service", "AssertResult")).toBe("no");
    const ran = await host.install();
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    expect((await host.run("test", "-f", "/var/lib/kafka/log/kept")).status).toBe(0);
    expect(await host.fetched()).toEqual(fetched);
    expect(host.read("/etc/fstab").match(/\/var\/lib\/kafka/g)?.length).toBe(1);
  }, 60_000);

  test("the volume of another node is refused", async () => {
    const good = host.read("/etc/roundtrip/release.env");
    host.release({ NODE_ID: "2" });
    const ran = await host.install();
    expect({ status: ran.status, lines: ran.stderr.trim().split("\n").length }).toEqual({
      status: 6,
      lines: 1,
    });
    expect(ran.stderr).toContain("to be of node 2, got that of node 1");
    host.write("/etc/roundtrip/release.env", good);
  }, 60_000);

  test("a volume that blkid can't tell what it is stays as it is", async () => {
    using odd = new Volume();
    odd.must("mkfs.ext4", "-q", odd.device);
    // The mark of another file system as well: two answers are none.
    odd.must(
      "sh",
      "-c",
      `printf '\\001CD001\\001' | dd of=${odd.device} bs=1 seek=32768 conv=notrunc status=none`,
    );
    const before = odd.digest();
    await host.run("umount", "/var/lib/kafka");
    await host.attach(odd.device, name);
    const ran = await host.install();
    expect({ status: ran.status, same: odd.digest() === before }).toEqual({ status: 6, same: true });
    expect(ran.stderr).toContain("it was left as it is");
    await host.attach(volume.device, name);
  }, 60_000);

  test("no volume at all: one message after a bounded wait", async () => {
    await host.run("rm", name);
    host.release({ RETRY_SECONDS: "0" });
    const ran = await host.install();
    expect({ status: ran.status, lines: ran.stderr.trim().split("\n").length }).toEqual({
      status: 4,
      lines: 1,
    });
    expect(ran.stderr).toContain("expected volume vol-");
  }, 60_000);
});
