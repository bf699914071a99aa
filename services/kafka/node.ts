/** Kafka and ZooKeeper as they are installed on this host (terraform/modules/kafka/install). */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { NodeFiles } from "../../core/kafka/configuration.ts";

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

const outputCharactersMax = 200_000;
const installerSecondsMax = 1500;
const toolSecondsMax = 90;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

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
    const { code, stderr } = await run(program, [], { seconds: installerSecondsMax });
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
    const ran = await run(this.#at("opt/roundtrip/kafka/bin", name), args, {
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

export interface ToolOptions {
  /** Written to its standard input, which then ends. */
  readonly input?: string;
  /** Ends it as soon as what it has printed is enough. */
  until?(stdout: string): boolean;
  readonly seconds?: number;
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

/** Runs a program without a shell, bounded. One that is ended because it printed enough has an exit code of its own. */
function run(
  program: string,
  args: readonly string[],
  {
    seconds,
    input = "",
    until,
    environment = {},
  }: ToolOptions & { readonly seconds: number; readonly environment?: Readonly<Record<string, string>> },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-outputCharactersMax);
      if (until?.(stdout)) child.kill("SIGTERM");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-outputCharactersMax);
    });
    // A program that ends without reading all of it has said why.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (cause) =>
      reject(
        new RoundtripError(
          {
            kind: "configuration",
            what: `run ${program}`,
            expected: "a program that runs",
            got: cause.message,
            wayOut: "see /opt/roundtrip/install/status and journalctl -u roundtrip-install on the node",
          },
          { cause },
        ),
      ),
    );
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\nended by ${signal}` : stderr }),
    );
  });
}

function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "no message").slice(0, 1000);
}
