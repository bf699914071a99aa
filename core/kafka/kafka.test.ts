import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { brokersOf, modeOf, nextOffsetOf, topicOf } from "./answers.ts";
import { electionWords, lossesBorne, nodeList, parseNodeList, replicasOf } from "./cluster.ts";
import { configurationChecks } from "./configuration.ts";

const nodes = [
  { id: 1, privateIp: "10.0.1.10" },
  { id: 2, privateIp: "10.0.2.10" },
  { id: 3, privateIp: "10.0.3.10" },
];
const zookeeper = [
  "# Made by Terraform",
  "dataDir=/var/lib/kafka/zookeeper",
  ...nodes.map(({ id, privateIp }) => `server.${id}=${privateIp}:2888:3888;${privateIp}:2181`),
].join("\n");
const server = [
  "broker.id=2",
  "listeners=PLAINTEXT://10.0.2.10:9092",
  "zookeeper.connect=10.0.1.10:2181,10.0.2.10:2181,10.0.3.10:2181",
].join("\n");

describe("how many nodes", () => {
  test("two ZooKeepers elect no leader when one is lost, and are said so", () => {
    expect(lossesBorne(2)).toBe(0);
    expect(electionWords(2)).toContain("elect no leader when one is lost: a majority of 2 is 2");
  });

  test("the nodes that may be lost always leave a majority, and one more never does", () => {
    for (let count = 2; count <= 9; count++) {
      const left = count - lossesBorne(count);
      expect(left * 2).toBeGreaterThan(count);
      expect((left - 1) * 2).not.toBeGreaterThan(count);
    }
    expect(electionWords(4)).toContain("bear the loss of 1, as 3 do");
  });

  test("a message stands on one node less than it is kept on, and on one at least", () => {
    expect([2, 3, 5].map(replicasOf)).toEqual([
      { replicas: 2, inSync: 1 },
      { replicas: 3, inSync: 2 },
      { replicas: 3, inSync: 2 },
    ]);
  });

  test("a list of nodes is read as it was written", () => {
    const node = fc.record({ id: fc.integer({ min: 1, max: 9 }), privateIp: fc.ipV4() });
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 9 }), (list) => {
        expect(parseNodeList(nodeList(list))).toEqual(list);
      }),
    );
  });
});

describe("a node's files", () => {
  const problems = (files: Partial<Parameters<typeof configurationChecks>[2]>, id = 2) =>
    configurationChecks(id, nodes, { myid: "2\n", zookeeper, server, ...files })
      .filter(({ ok }) => !ok)
      .map(({ name, got }) => `${name}: ${got}`);

  test("as published: every check holds, in whatever order the servers stand", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ zookeeper: zookeeper.split("\n").toReversed().join("\n") })).toEqual([]);
  });

  test("each thing that is another node's, an old one's or not there is named", () => {
    expect(problems({ myid: "1\n" })).toEqual(["node 2: myid: 1"]);
    expect(problems({ myid: undefined, zookeeper: undefined })).toEqual([
      "node 2: myid: no such file",
      "node 2: ZooKeeper's servers: no such file",
    ]);
    expect(problems({ zookeeper: zookeeper.replace("server.3", "#server.3") })).toHaveLength(1);
    expect(problems({ server: server.replaceAll("10.0.2.10", "10.0.2.9") })).toEqual([
      "node 2: listeners: PLAINTEXT://10.0.2.9:9092",
      "node 2: zookeeper.connect: 10.0.1.10:2181 10.0.2.9:2181 10.0.3.10:2181",
    ]);
    expect(problems({ server: undefined })).toHaveLength(3);
  });
});

describe("answers", () => {
  test("srvr: without a majority there is no mode", () => {
    expect(modeOf("Zookeeper version: 3.8.4\nMode: leader\nNode count: 4\n")).toBe("leader");
    expect(modeOf("This ZooKeeper instance is not currently serving requests\n")).toBeUndefined();
  });

  test("dump: brokers by their sessions, and whose session holds the controller", () => {
    const dump = `SessionTracker dump:
Global Sessions(2):
0x100022738bb0000\t18000ms
0x200022738bc0001\t18000ms
ephemeral nodes dump:
Sessions with Ephemerals (2):
0x200022738bc0001:
\t/brokers/ids/11
0x100022738bb0000:
\t/controller
\t/brokers/ids/3
Connections dump:
`;
    expect(brokersOf(dump)).toEqual({ ids: [3, 11], controller: 3 });
    expect(brokersOf("Sessions with Ephemerals (0):\n")).toEqual({ ids: [] });
  });

  test("a topic: copies, settings, leaders; a partition nobody leads", () => {
    const described = `Topic: oplog-backup\tTopicId: A4qX1wX-Q8yQdc6qYvnAEg\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: min.insync.replicas=2,unclean.leader.election.enable=false
\tTopic: oplog-backup\tPartition: 0\tLeader: 2\tReplicas: 2,1,3\tIsr: 2,1\tElr: N/A\tLastKnownElr: N/A
\tTopic: oplog-backup\tPartition: 1\tLeader: none\tReplicas: 1,2,3\tIsr: \tElr: N/A
`;
    const topic = topicOf(described)!;
    expect(topic).toMatchObject({ name: "oplog-backup", replicationFactor: 3 });
    expect(topic.configuration.get("min.insync.replicas")).toBe("2");
    expect(topic.partitions).toEqual([
      { number: 0, leader: 2, replicas: [2, 1, 3], inSync: [2, 1] },
      { number: 1, replicas: [1, 2, 3], inSync: [] },
    ]);
    expect(topicOf("Error while executing topic command\n")).toBeUndefined();
  });

  test("offsets: of the partition that was asked for", () => {
    expect(nextOffsetOf("oplog-backup:1:7\noplog-backup:0:42\n", "oplog-backup", 0)).toBe(42);
    expect(nextOffsetOf("", "oplog-backup", 0)).toBeUndefined();
  });
});
