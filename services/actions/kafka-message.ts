import { RoundtripError } from "../../core/errors.ts";
import { nextOffsetOf } from "../../core/kafka/answers.ts";
import { archiveTopic, bootstrapServers, controlKey, parseNodeList } from "../../core/kafka/cluster.ts";
import { KafkaNode } from "../kafka/node.ts";
import { type Action, check } from "./action.ts";

const partition = 0;
const silenceMsMax = 30_000;

/**
 * Produces a message that counts only when every copy in sync has it (acks=all), and consumes the partition from where it stood
 * before until that message comes. The key tells it from changes of documents.
 */
export const run: Action = async ({ parameter }) => {
  const node = KafkaNode.of(process.env.ROUNDTRIP_CONFIG);
  const servers = ["--bootstrap-server", bootstrapServers(parseNodeList(parameter("nodes")))];
  const topic = ["--topic", archiveTopic];
  const place = `${archiveTopic}:${partition}`;
  const message = `${controlKey}|${parameter("message")}`;
  const offsets = await node.tool("kafka-get-offsets.sh", [...servers, "--topic-partitions", place]);
  const from = nextOffsetOf(offsets, archiveTopic, partition);
  if (from === undefined) throw noOffset(offsets);
  const acknowledged = ["--sync", "--producer-property", "acks=all"];
  const keyed = ["--property", "parse.key=true", "--property", "key.separator=|"];
  await node.tool("kafka-console-producer.sh", [...servers, ...topic, ...acknowledged, ...keyed], {
    input: `${message}\n`,
  });
  const found = (stdout: string) => stdout.split("\n").includes(message);
  const at = [
    "--partition",
    String(partition),
    "--offset",
    String(from),
    "--timeout-ms",
    String(silenceMsMax),
  ];
  const shown = ["--property", "print.key=true", "--property", "key.separator=|"];
  const consumed = await node.tool("kafka-console-consumer.sh", [...servers, ...topic, ...at, ...shown], {
    until: found,
  });
  const ok = found(consumed);
  return {
    checks: [
      check("a message comes through", ok, {
        expected: `${message}, produced with acks=all and consumed from offset ${from}`,
        got: ok ? "it" : `${consumed.split("\n").length - 1} messages, none of them it`,
        wayOut:
          "see journalctl -u kafka on the nodes; then run kafka-setup again, which produces another one",
      }),
    ],
    data: { topic: archiveTopic, offset: from },
  };
};

function noOffset(got: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `ask where ${archiveTopic} stands`,
    expected: `${archiveTopic}:${partition}:<offset>`,
    got: got.trim().slice(0, 300) || "no answer",
    wayOut: "nobody leads the partition: see journalctl -u kafka on the nodes, and run kafka-setup again",
  });
}
