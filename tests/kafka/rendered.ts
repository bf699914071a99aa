import { join } from "node:path";
import { type KafkaNode, replicasOf } from "../../core/kafka/cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { terraformProgram } from "../support/terraform.ts";

const install = join(import.meta.dirname, "../../terraform/modules/kafka/install");
/** Brokers notice that one is gone after this, and not after the default 18 s: what then happens is the same. */
const sessionMs = 6000;

/** What the module's templates come to for these nodes, by the names of their parameters; made by Terraform itself. */
export function rendered(nodes: readonly KafkaNode[]): Record<string, string> {
  const addresses = Object.fromEntries(nodes.map(({ id, privateIp }) => [id, privateIp]));
  const { replicas, inSync } = replicasOf(nodes.length);
  const template = (file: string, values: object) =>
    `templatefile("${install}/${file}", ${JSON.stringify(values)})`;
  const server = (id: number) =>
    template("server.properties.tftpl", {
      id,
      zone: `zone-${id}`,
      addresses,
      replicas,
      replicas_in_sync: inSync,
      retention_hours: 168,
    });
  const entries = [
    `"zookeeper.properties" = ${template("zookeeper.properties.tftpl", { addresses })}`,
    ...nodes.map(({ id }) => `"${id}/server.properties" = ${server(id)}`),
  ];
  const ran = Bun.spawnSync([terraformProgram!, "console"], {
    cwd: temporaryFolder("roundtrip-kafka"),
    env: { ...process.env, TF_CLI_CONFIG_FILE: "/dev/null" },
    stdin: new TextEncoder().encode(`jsonencode({ ${entries.join(", ")} })\n`),
  });
  if (ran.exitCode !== 0) throw new Error(ran.stderr.toString());
  const files = JSON.parse(JSON.parse(ran.stdout.toString()) as string) as Record<string, string>;
  for (const { id } of nodes)
    files[`${id}/server.properties`] += `zookeeper.session.timeout.ms=${sessionMs}\n`;
  return files;
}
