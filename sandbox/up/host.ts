import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandOutput } from "../host/systemctl/invocation.ts";
import { StandIn } from "./stand-in.ts";

export interface HostReady {
  readonly dir: string;
  /** Base URL of its control interface. */
  readonly control: string;
  readonly pid: number;
}

export interface HostOptions {
  readonly dir: string;
  /** Without the aws stand-in the machine is switched on at once. */
  readonly aws?: { readonly url: string; readonly instanceId: string };
  /** What every process of the machine gets: systemd's DefaultEnvironment=. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly parameters?: readonly string[];
}

export type HostHandle = StandIn<HostReady>;

/** Starts a machine; the unit files in `dir/etc/systemd/system` are its services. */
export function startHost({ dir, aws, environment, parameters = [] }: HostOptions): Promise<HostHandle> {
  if (environment) writeDefaultEnvironment(dir, environment);
  const placement = aws ? ["--aws", aws.url, "--instance-id", aws.instanceId] : ["--boot"];
  return StandIn.start({
    name: "host",
    script: "host/main.ts",
    parameters: ["--dir", dir, "--port", "0", ...placement, ...parameters],
    logFile: join(dir, "..", "host.log"),
  });
}

/** Runs `systemctl` on a machine. */
export async function systemctl(host: HostHandle, ...argv: string[]): Promise<CommandOutput> {
  return (await steerHost(host, "systemctl", { argv })) as CommandOutput;
}

/** Calls the control interface of a machine: boot, halt, kill, units, processes. Throws with its answer on failure. */
export async function steerHost(host: HostHandle, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(
    `${host.ready.control}/${path}`,
    body ? { method: "POST", body: JSON.stringify(body) } : {},
  );
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function writeDefaultEnvironment(dir: string, environment: Readonly<Record<string, string>>): void {
  const quoted = Object.entries(environment).map(
    ([name, value]) => `"${`${name}=${value}`.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%")}"`,
  );
  mkdirSync(join(dir, "etc/systemd"), { recursive: true });
  writeFileSync(join(dir, "etc/systemd/system.conf"), `[Manager]\nDefaultEnvironment=${quoted.join(" ")}\n`);
}
