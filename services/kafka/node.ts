/** Kafka and ZooKeeper as they are installed on this host (terraform/modules/kafka/install). */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { NodeFiles } from "../../core/kafka/configuration.ts";
import { lastLine, runProgram, type ToolOptions } from "./program.ts";

export const kafkaUnits = ["zookeeper.service", "kafka.service"] as const;
export type KafkaUnit = (typeof kafkaUnits)[number];

/** What a unit is configured with, and the copy of it that its running process was started with. */
const configurations: Readonly<Record<KafkaUnit, { readonly kept: string; readonly running: string }>> = {
  "zookeeper.service": {
    kept: "etc/kafka/zookeeper.properties",
    running: "run/zookeeper/zookeeper.properties",
  },
  "kafka.service": { kept: "etc/kafka/server.properties", running: "run/kafka/server.properties" },
};

const installerSecondsMax = 1500;
const toolSecondsMax = 90;

export class KafkaNode {
  private constructor(private readonly root: string) {}

  /** Of the host whose environment's document lies at `configuration`: `/etc/roundtrip/environment.json` on a machine. */
  static of(configuration: string | undefined): KafkaNode {
    if (configuration) return new KafkaNode(join(dirname(configuration), "../.."));
    throw new RoundtripError({
      kind: "configuration",
      what: "find Kafka on this host",
      expected: "ROUNDTRIP_CONFIG",
      got: "nothing",
      wayOut: "run it through its SSM document, which reads /etc/roundtrip/worker.env",
    });
  }

  /** The line that the installer leaves: a time, then `prepared: …` or `failed: …`. Undefined before its first end. */
  async installed(): Promise<string | undefined> {
    return (await this.#read("opt/roundtrip/install/status"))?.trim();
  }

  /** Runs the installer, which fetches what Terraform keeps; waits for one at work. Fails as its exit code says, naming the node by `id`. */
  async install(id: number): Promise<void> {
    const program = this.#at("opt/roundtrip/install/install.sh");
    const { code, stderr } = await runProgram(program, [], { seconds: installerSecondsMax });
    if (code === 0) return;
    throw new RoundtripError({
      kind: code === 4 ? "unavailable" : "configuration",
      what: `prepare node ${id} with its installer`,
      expected: "exit code 0",
      got: `exit code ${code}: ${lastLine(stderr)}`,
      wayOut: "mend what it names; then run kafka-setup again, which does what is left",
    });
  }

  async files(): Promise<NodeFiles> {
    const [myid, zookeeper, server] = await Promise.all([
      this.#read("var/lib/kafka/zookeeper/myid"),
      this.#read(configurations["zookeeper.service"].kept),
      this.#read(configurations["kafka.service"].kept),
    ]);
    return { myid, zookeeper, server };
  }

  /** Whether what is configured by now is what the running process was started with. */
  async runsAsConfigured(unit: KafkaUnit): Promise<boolean> {
    const { kept, running } = configurations[unit];
    const [wanted, used] = await Promise.all([this.#read(kept), this.#read(running)]);
    return wanted !== undefined && wanted === used;
  }

  /** A program of Kafka's own; gives what it prints. Fails `unavailable` with the last it said. */
  async tool(name: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
    const ran = await runProgram(this.#at("opt/roundtrip/kafka/bin", name), args, {
      seconds: toolSecondsMax,
      ...options,
      environment: {
        JAVA_HOME: this.#at("opt/roundtrip/java"),
        LOG_DIR: this.#at("var/log/kafka"),
        KAFKA_HEAP_OPTS: "-Xmx128m",
      },
    });
    if (ran.code === 0 || options.until?.(ran.stdout)) return ran.stdout;
    throw toolFailure(
      name,
      args,
      "unavailable",
      `exit code ${ran.code}: ${lastLine(ran.stderr || ran.stdout)}`,
    );
  }

  #at(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  #read(path: string): Promise<string | undefined> {
    return readFile(this.#at(path), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  }
}

function toolFailure(name: string, args: readonly string[], kind: FailureKind, got: string): RoundtripError {
  return new RoundtripError({
    kind,
    what: `run ${name} ${args.join(" ")}`,
    expected: "exit code 0",
    got,
    wayOut:
      "see journalctl -u kafka and -u zookeeper on the nodes; mend what they name and run kafka-setup again",
  });
}
