/** Whether a node's own files say what Terraform published of the cluster. */
import type { Check } from "../failback/documents.ts";
import { brokerPort, type KafkaAddress, zookeeperPort } from "./cluster.ts";

/** What lies on a node; undefined for a file that isn't there. */
export interface NodeFiles {
  readonly myid: string | undefined;
  readonly zookeeper: string | undefined;
  readonly server: string | undefined;
}

const wayOut =
  "roundtrip apply writes what Terraform keeps of the cluster anew; then run kafka-setup again. A volume of another node is put right in AWS";

/** One check for each thing that makes this node the one it is said to be. */
export function configurationChecks(id: number, nodes: readonly KafkaAddress[], files: NodeFiles): Check[] {
  const own = nodes.find((node) => node.id === id)?.privateIp ?? "an address in the list";
  const zookeeper = propertiesOf(files.zookeeper);
  const server = propertiesOf(files.server);
  const servers = [...(zookeeper ?? [])].filter(([name]) => name.startsWith("server."));
  const wanted = nodes.map(({ id: other, privateIp }) => serverLine(other, privateIp));
  const found = servers.map(([name, value]) => `${name}=${value}`);
  const known = (name: string) => server?.get(name) ?? "nothing";
  const connect = nodes.map(({ privateIp }) => `${privateIp}:${zookeeperPort}`);
  return [
    same("myid", String(id), files.myid?.trim() ?? "no such file"),
    same("ZooKeeper's servers", sorted(wanted), zookeeper ? sorted(found) : "no such file"),
    same("broker.id", String(id), known("broker.id")),
    same("listeners", `PLAINTEXT://${own}:${brokerPort}`, known("listeners")),
    same("zookeeper.connect", sorted(connect), sorted(known("zookeeper.connect").split(","))),
  ].map((check) => ({ ...check, name: `node ${id}: ${check.name}` }));
}

function serverLine(id: number, ip: string): string {
  return `server.${id}=${ip}:2888:3888;${ip}:${zookeeperPort}`;
}

function sorted(words: readonly string[]): string {
  return words.toSorted().join(" ") || "nothing";
}

function same(name: string, expected: string, got: string): Check {
  const ok = expected === got;
  return { name, ok, expected, got, ...(ok ? {} : { wayOut }) };
}

/** `name=value` lines; comments and empty ones are left out. */
function propertiesOf(text: string | undefined): ReadonlyMap<string, string> | undefined {
  if (text === undefined) return undefined;
  return new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      if (at < 1 || line.startsWith("#")) return [];
      return [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
}
