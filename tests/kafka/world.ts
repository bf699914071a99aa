/** Kafka's nodes as machines of the sandbox, on addresses of the loopback network: AWS and systemd are stand-ins, Kafka is real. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EC2Client, StopInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { actionCatalog } from "../../core/actions/catalog.ts";
import type { ActionResult, Environment } from "../../core/failback/documents.ts";
import { topicOf } from "../../core/kafka/answers.ts";
import { archiveTopic, bootstrapServers, type KafkaNode, nodeList } from "../../core/kafka/cluster.ts";
import { resultOf } from "../../runbooks/engine/action.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { type HostHandle, steerHost, systemctl } from "../../sandbox/up/host.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { worldEnvironment } from "../support/service-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { configurationPath, newMachine, startNode } from "./node.ts";
import { rendered } from "./rendered.ts";

const repository = join(import.meta.dirname, "../..");
const region = "us-east-1";
const prefix = "roundtrip-dev";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class KafkaWorld implements AsyncDisposable {
  readonly hosts: HostHandle[] = [];
  readonly #commands = new AwsCommands({ region });
  readonly #instances = new AwsInstances({ region });

  private constructor(
    readonly sandbox: Sandbox,
    public nodes: readonly KafkaNode[],
    readonly variables: Readonly<Record<string, string>>,
    readonly tasksFile: string,
  ) {}

  /** `count` machines that are on, with nothing started; environment, documents and configuration as Terraform makes them. */
  static async start(count: number): Promise<KafkaWorld> {
    const sandbox = await Sandbox.start({ only: ["aws"] });
    const network = `127.${16 + (process.pid % 200)}.${16 + Math.floor(Math.random() * 200)}`;
    const nodes = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      instanceId: `i-0000000000000000${index + 1}`,
      privateIp: `${network}.${index + 1}`,
    }));
    const { aws = "" } = sandbox.addresses;
    const variables = awsEnvironment(aws, "roundtrip-runner");
    Object.assign(process.env, variables);
    const tasksFile = join(temporaryFolder("roundtrip-kafka"), "tasks.yaml");
    writeFileSync(tasksFile, "version: 1\ntasks:\n  - {id: shop, database: shop, collections: [orders]}\n");
    const world = new KafkaWorld(sandbox, nodes, variables, tasksFile);
    try {
      await world.#provision(aws);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #provision(aws: string): Promise<void> {
    await steerAws(aws, "ec2", { pendingMs: 50, stoppingMs: 50, agentDelayMs: 20 });
    await steerAws(aws, "ssm", { invisibleMs: 20, deliveryMs: 10 });
    await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: prefix }));
    await this.#publish();
    await this.#createDocuments();
    for (const node of this.nodes) {
      await steerAws(aws, "instances", { instanceId: node.instanceId, state: "running" });
      const directory = this.sandbox.workspace.at(`kafka-${node.id}`);
      const role = { url: aws, variables: awsEnvironment(aws, "roundtrip-kafka-node") };
      this.hosts.push(await startNode(directory, node, role));
    }
  }

  /** What Terraform publishes of the nodes as they are now. */
  async #publish(): Promise<void> {
    const environment: Environment = {
      ...worldEnvironment,
      environment: "dev",
      region,
      bucket: prefix,
      instanceId: "i-0123456789abcdef0",
      documentPrefix: prefix,
      kafka: { nodes: this.nodes },
    };
    await this.#parameter("/roundtrip/dev/environment", JSON.stringify(environment));
    for (const [name, text] of Object.entries(rendered(this.nodes)))
      await this.#parameter(`${configurationPath}/${name}`, text);
  }

  async #createDocuments(): Promise<void> {
    const ssm = new SSMClient({});
    for (const { name } of actionCatalog.filter((action) => action.name.startsWith("kafka-"))) {
      const Content = readFileSync(join(repository, `runbooks/documents/${name}.json`), "utf8");
      const document = {
        Name: `${prefix}-${name}`,
        Content,
        DocumentType: "Command",
        DocumentFormat: "JSON",
      } as const;
      await ssm.send(new CreateDocumentCommand(document));
    }
  }

  async #parameter(Name: string, Value: string): Promise<void> {
    await new SSMClient({}).send(new PutParameterCommand({ Name, Value, Type: "String", Overwrite: true }));
  }

  /** `roundtrip runbook kafka-setup`, as its own process; `killAt` ends it by SIGKILL as soon as it says that. */
  async setUp({ killAt, mode = "run" }: { killAt?: string; mode?: "plan" | "run" } = {}): Promise<Ran> {
    const words = ["runbook", "kafka-setup", "--env", "dev", "--mode", mode, "--tasks", this.tasksFile];
    const child = Bun.spawn([process.execPath, "scripts/roundtrip.ts", ...words, "--lease-seconds", "1"], {
      cwd: repository,
      env: { ...process.env, ...this.variables },
      stdout: "pipe",
      stderr: "pipe",
    });
    const stdout = new Response(child.stdout).text();
    let stderr = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      if (killAt !== undefined && stderr.includes(killAt)) child.kill("SIGKILL");
    }
    return { code: await child.exited, stdout: await stdout, stderr };
  }

  /** An action through SSM on one node, once its agent is online. Fails as the runbook would. */
  async action(
    id: number,
    name: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<ActionResult> {
    const { instanceId } = this.nodes[id - 1]!;
    await this.#instances.waitReady(instanceId, 20);
    const given = { nodes: nodeList(this.nodes), ...parameters };
    const command = await this.#commands.send(instanceId, `${prefix}-${name}`, given);
    return resultOf(name, await this.#commands.wait(instanceId, command, 120));
  }

  /** Who leads the topic's one partition, as a node that is there has it. */
  leader(id: number): number | undefined {
    const machine = this.hosts[id - 1]!.ready.dir;
    const program = join(machine, "opt/roundtrip/kafka/bin/kafka-topics.sh");
    const asked = [
      "--bootstrap-server",
      bootstrapServers([this.nodes[id - 1]!]),
      "--describe",
      "--topic",
      archiveTopic,
    ];
    const environment = { ...process.env, JAVA_HOME: join(machine, "opt/roundtrip/java") };
    const { stdout } = Bun.spawnSync([program, ...asked], { env: environment });
    return topicOf(stdout.toString())?.partitions[0]?.leader;
  }

  /** Main process of each unit, by node and unit. */
  async processes(): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    for (const [index, host] of this.hosts.entries()) {
      const units = (await steerHost(host, "processes")) as { unit: string; mainPid: number }[];
      for (const { unit, mainPid } of units) found[`${index + 1} ${unit}`] = mainPid;
    }
    return found;
  }

  systemctl(id: number, ...argv: string[]) {
    return systemctl(this.hosts[id - 1]!, ...argv);
  }

  /** Pulls the plug of a node. */
  async lose(id: number): Promise<void> {
    const { instanceId } = this.nodes[id - 1]!;
    await new EC2Client({}).send(new StopInstancesCommand({ InstanceIds: [instanceId], Force: true }));
    await this.#instances.waitStopped(instanceId, 20);
  }

  /** Switches a node on again; what is enabled starts by itself. */
  async bringBack(id: number): Promise<void> {
    const { instanceId } = this.nodes[id - 1]!;
    await this.#instances.start(instanceId);
    await this.#instances.waitReady(instanceId, 20);
  }

  /** A new machine with the lost one's volume, at another address, as Terraform makes and publishes it. */
  async replace(id: number): Promise<void> {
    newMachine(this.hosts[id - 1]!.ready.dir);
    this.nodes = this.nodes.map((node) =>
      node.id === id ? { ...node, privateIp: `${node.privateIp}0` } : node,
    );
    await this.#publish();
    await this.bringBack(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody waits for brokers that hand over to each other.
    const cut = (host: HostHandle) => steerHost(host, "halt", { hard: true });
    await Promise.allSettled(this.hosts.map(cut));
    await Promise.all(this.hosts.map((host) => host.stop()));
    await this.sandbox[Symbol.asyncDispose]();
  }
}
