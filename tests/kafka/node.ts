/** One of Kafka's nodes before kafka-setup saw it: prepared as by its first boot, with nothing started. */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KafkaNode } from "../../core/kafka/cluster.ts";
import { type HostHandle, startHost } from "../../sandbox/up/host.ts";
import { worldEnvironment } from "../support/service-world.ts";
import { installDistribution } from "./distribution.ts";

const repository = join(import.meta.dirname, "../..");
const install = join(repository, "terraform/modules/kafka/install");
export const configurationPath = "/roundtrip/dev/kafka";

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** Starts the machine of a node, whose EC2 instance is there; its units are the module's own. */
export function startNode(
  directory: string,
  { id, instanceId }: KafkaNode,
  aws: { readonly url: string; readonly variables: Readonly<Record<string, string>> },
): Promise<HostHandle> {
  const at = (path: string) => join(directory, path);
  for (const folder of ["var/log/kafka", "var/lib/kafka/log", "etc/kafka"])
    mkdirSync(at(folder), { recursive: true });
  write(at("var/lib/kafka/zookeeper/myid"), `${id}\n`);
  installDistribution(directory);
  for (const unit of ["zookeeper.service", "kafka.service"]) {
    mkdirSync(at("etc/systemd/system"), { recursive: true });
    copyFileSync(join(install, unit), at(`etc/systemd/system/${unit}`));
  }
  write(at("etc/roundtrip/environment.json"), JSON.stringify(worldEnvironment));
  write(at("etc/roundtrip/worker.env"), `ROUNDTRIP_CONFIG=${at("etc/roundtrip/environment.json")}\n`);
  const worker = `#!/bin/sh\nexec ${process.execPath} ${join(repository, "services/main.ts")} "$@"\n`;
  write(at("opt/roundtrip/bin/roundtrip-worker"), worker, 0o755);
  write(at("opt/roundtrip/install/install.sh"), installer(directory, id), 0o755);
  return startHost({ dir: directory, aws: { url: aws.url, instanceId }, environment: aws.variables });
}

/** What of a machine doesn't lie on its volume goes with it. */
export function newMachine(directory: string): void {
  const lost = ["etc/systemd/system/multi-user.target.wants", "etc/kafka", "run/kafka", "run/zookeeper"];
  for (const folder of lost) rmSync(join(directory, folder), { recursive: true, force: true });
  mkdirSync(join(directory, "etc/kafka"));
}

/**
 * In the place of install.sh, which mounts volumes and makes users (tests/systemd/kafka-node.test.ts runs it): fetches the two
 * parameters as it does. The paths within are led into the machine, whose programs are this machine's.
 */
function installer(directory: string, id: number): string {
  const aws = `${process.execPath} ${join(repository, "tests/systemd/fixtures/aws.ts")}`;
  const fetched = (parameter: string, file: string) =>
    [
      `${aws} ssm get-parameter --region us-east-1 --name ${configurationPath}/${parameter} --query Parameter.Value --output text >${file}.fetched`,
      `sed 's#=/var/lib/#=${directory}/var/lib/#' ${file}.fetched >${file}.partial`,
      `mv -f ${file}.partial ${file}`,
    ].join("\n");
  return `#!/bin/sh
set -eu
${fetched("zookeeper.properties", join(directory, "etc/kafka/zookeeper.properties"))}
${fetched(`${id}/server.properties`, join(directory, "etc/kafka/server.properties"))}
echo "2026-01-01T00:00:00Z prepared: node ${id}" >${directory}/opt/roundtrip/install/status
`;
}
