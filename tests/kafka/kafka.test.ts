/** kafka-setup on real ZooKeepers and brokers (R30): from nothing, killed, again, with another node; and what losing nodes does. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { leaderOf, registeredBrokers, zookeeperStates } from "../../services/kafka/zookeeper.ts";
import { terraformProgram } from "../support/terraform.ts";
import { waitFor } from "../support/wait-for.ts";
import { distributionObstacle } from "./distribution.ts";
import { KafkaWorld } from "./world.ts";

setDefaultTimeout(240_000);

const obstacle = distributionObstacle() ?? (terraformProgram ? undefined : "needs terraform on PATH");

describe.skipIf(obstacle !== undefined)(`three nodes${obstacle ? ` (skipped: ${obstacle})` : ""}`, () => {
  let world: KafkaWorld;
  const lostNodes: number[] = [];
  beforeAll(async () => {
    world = await KafkaWorld.start(3);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("a run that is killed in the middle is gone on with: what runs stays as it is, and a message comes through", async () => {
    const killed = await world.setUp({ killAt: "▸ brokers" });
    expect(killed.code).not.toBe(0);
    expect(killed.stderr.match(/started on 1, 2, 3 /g)).toHaveLength(2);
    const before = await world.processes();
    const { code, stderr } = await world.setUp();
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stderr).toContain("going on with dev-kafka-setup-");
    expect(stderr).toContain("3 nodes bear the loss of 1");
    expect(stderr.match(/runs on every node, as configured/g)).toHaveLength(2);
    expect(await world.processes()).toEqual(before);
    expect(stderr).toMatch(/node [123] leads ZooKeeper/);
    expect(stderr).toMatch(/brokers 1, 2, 3; [123] is the controller/);
    expect(stderr).toMatch(/oplog-backup made: partition 0: leader [123], in sync /);
    expect(stderr).toContain("a message came through oplog-backup (offset 0 or later)");
    for (const id of [1, 2, 3])
      for (const unit of ["zookeeper.service", "kafka.service"])
        expect((await world.systemctl(id, "is-enabled", unit)).stdout.trim()).toBe("enabled");
  });

  test("the node that leads is lost: another one leads, and messages go on; kafka-setup names the node that is off", async () => {
    const lost = world.leader(1)!;
    lostNodes.push(lost);
    const left = [1, 2, 3].filter((id) => id !== lost);
    const one = left[0]!;
    await world.lose(lost);
    const states = () => zookeeperStates(world.nodes);
    await waitFor(
      "a ZooKeeper of those left to lead",
      async () => left.includes(leaderOf(await states())!),
      30_000,
    );
    const gone = async () => (await registeredBrokers(world.nodes)).ids.join() === left.join();
    await waitFor("the broker's session to end", gone, 30_000);
    await waitFor("another broker to lead", () => left.includes(world.leader(one)!), 30_000);
    expect((await world.action(one, "kafka-message", { message: `without-${lost}` })).ok).toBe(true);
    const { code, stderr } = await world.setUp();
    expect({ code, named: stderr.includes(`set up Kafka on node ${lost}`) }).toEqual({
      code: 3,
      named: true,
    });
  });

  test("its machine is made anew at another address: the others take the new list one after the other, nothing is installed anew", async () => {
    const [lost] = lostNodes;
    const left = [1, 2, 3].filter((id) => id !== lost);
    await world.replace(lost!);
    const { code, stderr } = await world.setUp();
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const words = `started on ${lost}; restarted with the new configuration on ${left.join(", ")} `;
    expect(stderr.split(words)).toHaveLength(3);
    expect(stderr).toMatch(/brokers 1, 2, 3; [123] is the controller/);
    expect(stderr).toContain("oplog-backup was there");
    // The first proof, and the message that was produced while the node was away.
    expect(stderr).toContain("offset 2 or later");
  });
});

describe.skipIf(obstacle !== undefined)(`two nodes${obstacle ? ` (skipped: ${obstacle})` : ""}`, () => {
  test("elect while both are there; one is lost and the other elects nobody, as the plan had said", async () => {
    await using world = await KafkaWorld.start(2);
    expect((await world.setUp({ mode: "plan" })).stdout).toContain(
      "2 ZooKeepers elect no leader when one is lost: a majority of 2 is 2",
    );
    for (const id of [1, 2]) {
      await world.action(id, "kafka-prepare", { node: String(id) });
    }
    for (const id of [1, 2]) await world.systemctl(id, "start", "zookeeper.service");
    const { data } = await world.action(1, "kafka-quorum");
    expect([1, 2]).toContain(data.leader as number);
    expect(data.losses).toContain("2 ZooKeepers elect no leader");
    await world.lose(2);
    await waitFor(
      "the one that is left to have no majority",
      async () => (await zookeeperStates(world.nodes))[0]!.said === "no majority",
      30_000,
    );
    expect(leaderOf(await zookeeperStates(world.nodes))).toBeUndefined();
    await world.bringBack(2);
    await world.systemctl(2, "start", "zookeeper.service");
    expect((await world.action(1, "kafka-quorum")).ok).toBe(true);
  });
});
