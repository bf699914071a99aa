/** What Kafka's actions say when something is not as it should be; on real brokers they run in tests/kafka. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import type { ActionResult } from "../../core/failback/documents.ts";
import { ServiceWorld, up } from "../../tests/support/service-world.ts";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";
import type { Databases } from "../access/databases.ts";
import { findAction } from "../actions/parameters.ts";
import { loadAction } from "../actions/registry.ts";
import { runAction } from "../actions/run-action.ts";

const network = `127.${16 + (process.pid % 200)}.7`;
const nodes = [1, 2, 3].map((id) => `${id}=${network}.${id}`).join(",");
const zookeeper = [1, 2, 3]
  .map((id) => `server.${id}=${network}.${id}:2888:3888;${network}.${id}:2181\n`)
  .join("");
const connect = [1, 2, 3].map((id) => `${network}.${id}:2181`).join(",");
const server = `broker.id=2\nlisteners=PLAINTEXT://${network}.2:9092\nzookeeper.connect=${connect}\n`;

let root: string;
let world: ServiceWorld;
let servers: Server[];
const before = process.env.ROUNDTRIP_CONFIG;
beforeEach(() => {
  root = temporaryFolder("roundtrip-kafka-node");
  process.env.ROUNDTRIP_CONFIG = join(root, "etc/roundtrip/environment.json");
  world = new ServiceWorld();
  servers = [];
});
afterEach(async () => {
  process.env.ROUNDTRIP_CONFIG = before;
  if (before === undefined) delete process.env.ROUNDTRIP_CONFIG;
  world[Symbol.dispose]();
  for (const each of servers) await new Promise((resolve) => each.close(resolve));
});

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
}

/** A program of the node that runs these lines of shell. */
const program = (path: string, lines: string) => write(path, `#!/bin/sh\n${lines}\n`, 0o755);
const tool = (name: string, lines: string) => program(`opt/roundtrip/kafka/bin/${name}`, lines);

/** A ZooKeeper on node `id`'s address that answers like this. */
async function zookeeperAt(id: number, answers: Readonly<Record<string, string>>): Promise<void> {
  const listening = createServer((socket) =>
    socket.once("data", (word) => socket.end(answers[word.toString()] ?? "")),
  );
  await new Promise<void>((resolve) => listening.listen(2181, `${network}.${id}`, resolve));
  servers.push(listening);
}

async function act(name: string, parameters: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
  const metadata = findAction(name);
  const values = new Map(Object.entries({ nodes, node: "2", ...parameters }));
  const given = { failbackId: "", values };
  const deps = { service: world.service, databases: {} as Databases };
  return (await runAction(metadata, await loadAction(name), given, deps)).result;
}
const failed = ({ checks }: ActionResult) =>
  checks.filter(({ ok }) => !ok).map(({ name, got }) => `${name}: ${got}`);

describe("kafka-prepare", () => {
  test("the installer's own last word is what a person is told", async () => {
    program(
      "opt/roundtrip/install/install.sh",
      "echo first >&2; echo 'expected volume vol-1, got none' >&2; exit 4",
    );
    expect(failed(await act("kafka-prepare"))).toEqual([
      "prepare node 2 with its installer: exit code 4: expected volume vol-1, got none",
    ]);
  });

  test("a file that isn't the published one is named, and nothing is started", async () => {
    program("opt/roundtrip/install/install.sh", "exit 0");
    write("var/lib/kafka/zookeeper/myid", "2\n");
    write("etc/kafka/zookeeper.properties", zookeeper);
    write("etc/kafka/server.properties", server);
    expect((await act("kafka-prepare")).ok).toBe(true);
    write("etc/kafka/server.properties", server.replace("broker.id=2", "broker.id=3"));
    expect(failed(await act("kafka-prepare"))).toEqual(["node 2: broker.id: 3"]);
    expect(world.units.calls).toEqual([]);
  });
});

describe("kafka-start", () => {
  test("what is down is enabled and started; what runs stays, and an older configuration is said", async () => {
    const unit = "kafka.service";
    const first = await act("kafka-start", { unit });
    expect(world.units.calls).toEqual([`enable ${unit}`, `start ${unit}`]);
    expect(first.data).toMatchObject({ started: true });
    write("etc/kafka/server.properties", "a=1\n");
    write("run/kafka/server.properties", "a=1\n");
    expect((await act("kafka-start", { unit })).data).toEqual({ started: false, outdated: false });
    write("etc/kafka/server.properties", "a=2\n");
    expect((await act("kafka-start", { unit })).data).toEqual({ started: false, outdated: true });
    expect(world.units.calls.filter((call) => call.startsWith("start"))).toHaveLength(1);
  });

  test("one that doesn't come up fails with systemd's own words", async () => {
    world.units.onStart = () => ({
      ...up,
      active: "failed",
      sub: "failed",
      result: "exit-code",
      exitStatus: 1,
    });
    expect(failed(await act("kafka-start", { unit: "zookeeper.service" }))).toEqual([
      "node 2: zookeeper.service runs: failed (failed), result exit-code, exit code 1",
    ]);
  });
});

describe("kafka-restart", () => {
  const unit = "zookeeper.service";
  const outdated = () => {
    write("etc/kafka/zookeeper.properties", "new\n");
    write("run/zookeeper/zookeeper.properties", "old\n");
    world.units.onStart = () => {
      write("run/zookeeper/zookeeper.properties", "new\n");
      return up;
    };
  };

  test("no ZooKeeper leads: this one isn't stopped as well", async () => {
    outdated();
    await zookeeperAt(2, { srvr: "This ZooKeeper instance is not currently serving requests\n" });
    const result = await act("kafka-restart", { unit });
    expect(failed(result)[0]).toStartWith(
      "node 2: the cluster is whole before the restart: 1 no answer (ECONNREFUSED), 2 no majority",
    );
    expect(world.units.calls).toEqual([]);
  });

  test("one leads: it is restarted once, and not again when it runs as configured", async () => {
    outdated();
    await zookeeperAt(1, { srvr: "Mode: leader\n" });
    await zookeeperAt(2, { srvr: "Mode: follower\n" });
    expect((await act("kafka-restart", { unit })).ok).toBe(true);
    expect((await act("kafka-restart", { unit })).data).toEqual({ restarted: false });
    expect(world.units.calls).toEqual([`stop ${unit}`, `start ${unit}`]);
  });

  test("it doesn't come back among the others: that is said, so that no other node is touched", async () => {
    outdated();
    await zookeeperAt(1, { srvr: "Mode: leader\n" });
    const result = await act("kafka-restart", { unit });
    expect(failed(result)[0]).toStartWith(
      "node 2: the cluster is whole after the restart: 1 leader, 2 no answer",
    );
  });

  test("a partition lacks a replica: this broker isn't stopped as well", async () => {
    write("etc/kafka/server.properties", "new\n");
    tool("kafka-topics.sh", "echo '\tTopic: a\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1'");
    // Looked at until the time is up.
    const { clock } = world.service;
    let passedMs = 0;
    Object.assign(clock, { monotonicMs: () => (passedMs += 400_000) });
    const result = await act("kafka-restart", { unit: "kafka.service" });
    expect(failed(result)).toEqual([
      "node 2: the cluster is whole before the restart: 1 partition without all replicas",
    ]);
    expect(world.units.calls).toEqual([]);
  });

  test("a broker that was restarted and is not registered is not back, whatever partitions say", async () => {
    write("etc/kafka/server.properties", "new\n");
    tool("kafka-topics.sh", "exit 0");
    await zookeeperAt(1, { dump: "Sessions with Ephemerals (1):\n0x1:\n\t/brokers/ids/1\n" });
    const result = await act("kafka-restart", { unit: "kafka.service" });
    expect(failed(result)[0]).toBe(
      "node 2: the cluster is whole after the restart: broker 2 is not registered",
    );
  });
});

describe("kafka-quorum and kafka-brokers", () => {
  test("two that each take themselves for the leader are no quorum", async () => {
    for (const id of [1, 2]) await zookeeperAt(id, { srvr: "Mode: leader\n" });
    await zookeeperAt(3, { srvr: "Mode: follower\n" });
    expect(failed(await act("kafka-quorum"))).toEqual([
      "ZooKeepers have elected: 1 leader, 2 leader, 3 follower",
    ]);
  });

  test("a broker that is missing, and one that is nobody's, are told", async () => {
    const session = (id: number) => `0x${id}:\n\t/brokers/ids/${id}\n`;
    const dump = `Sessions with Ephemerals (3):\n${[1, 2, 7].map(session).join("")}0x9:\n\t/controller\n`;
    await zookeeperAt(2, { dump });
    expect(failed(await act("kafka-brokers"))).toEqual(["brokers are registered: 1, 2, 7, controller none"]);
  });
});

describe("kafka-topic", () => {
  const described = (replicas: number, inSync: number) =>
    `echo 'Topic: oplog-backup\tTopicId: x\tPartitionCount: 1\tReplicationFactor: ${replicas}\tConfigs: min.insync.replicas=${inSync}'
echo '\tTopic: oplog-backup\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1'`;

  test("one that was made for other nodes is told, and left as it is", async () => {
    tool("kafka-topics.sh", `echo "$@" >>${root}/asked\n${described(1, 1)}`);
    expect(failed(await act("kafka-topic"))).toEqual([
      "copies of oplog-backup: 1",
      "min.insync.replicas of oplog-backup: 1",
    ]);
    expect(readFileSync(join(root, "asked"), "utf8")).not.toMatch(/--(create|alter|delete)/);
  });

  test("one that isn't there is made once", async () => {
    const [asked, made] = [join(root, "asked"), join(root, "made")];
    tool(
      "kafka-topics.sh",
      `echo "$@" >>${asked}\ncase "$*" in *--create*) touch ${made} ;; esac\n[ ! -f ${made} ] || { ${described(3, 2)}\n}`,
    );
    expect((await act("kafka-topic")).data).toMatchObject({ created: true, leaders: [1] });
    expect((await act("kafka-topic")).data).toMatchObject({ created: false });
    expect(
      readFileSync(asked, "utf8").match(/--create --if-not-exists --partitions 1 --replication-factor 3/g),
    ).toHaveLength(1);
  });
});

describe("kafka-message", () => {
  const message = { message: "proof-1" };
  const offsets = () => tool("kafka-get-offsets.sh", "echo oplog-backup:0:41");

  test("found: the consumer is ended there, however long it would have waited", async () => {
    offsets();
    tool("kafka-console-producer.sh", `cat >${root}/produced`);
    tool("kafka-console-consumer.sh", `echo 'k|other'; cat ${root}/produced; exec sleep 60`);
    const result = await act("kafka-message", message);
    expect(failed(result)).toEqual([]);
    expect(result.data).toMatchObject({ offset: 41 });
    expect(readFileSync(join(root, "produced"), "utf8")).toBe("roundtrip-control|proof-1\n");
  });

  test("others' messages only: that is no proof", async () => {
    offsets();
    tool("kafka-console-producer.sh", "cat >/dev/null");
    tool("kafka-console-consumer.sh", "echo 'roundtrip-control|proof-10'; echo 'k|proof-1'");
    expect(failed(await act("kafka-message", message))).toEqual([
      "a message comes through: 2 messages, none of them it",
    ]);
  });

  test("a producer that nobody acknowledges fails with its own words; nothing is consumed", async () => {
    offsets();
    tool("kafka-console-producer.sh", "cat >/dev/null; echo 'NotEnoughReplicasException' >&2; exit 1");
    tool("kafka-console-consumer.sh", `touch ${root}/consumed`);
    expect(failed(await act("kafka-message", message))[0]).toEndWith(
      "exit code 1: NotEnoughReplicasException",
    );
    expect(existsSync(join(root, "consumed"))).toBe(false);
  });

  test("nobody leads the partition: there is no offset, and that is said", async () => {
    tool("kafka-get-offsets.sh", "exit 0");
    expect(failed(await act("kafka-message", message))).toEqual(["ask where oplog-backup stands: no answer"]);
  });
});
