/** Kafka as its archive lays it out, over the libraries that Maven brings: the programs in `bin` are one line each there, too. */
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { kafkaLibraries } from "../../scripts/setup/kafka.ts";

const java = Bun.which("java");

/** Why there is none here. */
export function distributionObstacle(): string | undefined {
  return java && kafkaLibraries() ? undefined : "needs Java and Kafka: bun scripts/setup.ts --all";
}

/** The class each program of the archive runs (bin/*.sh of Kafka 3.9). */
const programs = {
  "zookeeper-server-start.sh": "org.apache.zookeeper.server.quorum.QuorumPeerMain",
  "kafka-server-start.sh": "kafka.Kafka",
  "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
  "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
  "kafka-console-producer.sh": "kafka.tools.ConsoleProducer",
  "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
} as const;

/** Quick to start, on a machine that has other things to do. */
const quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
const logging = [
  "log4j.rootLogger=WARN, stderr",
  "log4j.appender.stderr=org.apache.log4j.ConsoleAppender",
  "log4j.appender.stderr.Target=System.err",
  "log4j.appender.stderr.layout=org.apache.log4j.PatternLayout",
  "log4j.appender.stderr.layout.ConversionPattern=%p %m (%c)%n",
];

/** Makes `opt/roundtrip/kafka` and `opt/roundtrip/java` of a machine. */
export function installDistribution(machine: string): void {
  const kafka = join(machine, "opt/roundtrip/kafka");
  mkdirSync(join(kafka, "bin"), { recursive: true });
  symlinkSync(kafkaLibraries()!, join(kafka, "libs"));
  symlinkSync(dirname(dirname(realpathSync(java!))), join(machine, "opt/roundtrip/java"));
  const settings = join(kafka, "log4j.properties");
  writeFileSync(settings, `${logging.join("\n")}\n`);
  for (const [name, main] of Object.entries(programs)) {
    const path = join(kafka, "bin", name);
    const options = `\${KAFKA_HEAP_OPTS:--Xmx256m} ${quick} -Dlog4j.configuration=file:${settings}`;
    writeFileSync(
      path,
      `#!/bin/sh\nexec "$JAVA_HOME/bin/java" ${options} -cp "${kafka}/libs/*" ${main} "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
}
