import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Agent } from "./agent.ts";
import { controlHandler, Power } from "./control.ts";
import { Machine } from "./machine.ts";
import { Manager } from "./manager.ts";
import { ProcessRecord, processInfo } from "./processes.ts";
import { register } from "./registration.ts";
import { writeShims } from "./shims.ts";

const usage =
  "usage: bun sandbox/host/main.ts --dir DIR [--aws URL --instance-id ID] [--port N|0] [--boot] [--exit-with-parent]\n" +
  "  runs the unit files in DIR/etc/systemd/system as processes; --boot powers it on without being told by the aws stand-in";

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    aws: { type: "string" },
    "instance-id": { type: "string", default: "i-0123456789abcdef0" },
    port: { type: "string", default: "0" },
    boot: { type: "boolean", default: false },
    "exit-with-parent": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.dir === undefined || !/^\d+$/.test(values.port)) {
  console.error(usage);
  process.exit(values.help ? 0 : 64);
}

/** One machine, one host: two would kill each other's processes. */
function refuseSecondHost(hostFile: string): void {
  try {
    const { pid, startTicks } = JSON.parse(readFileSync(hostFile, "utf8")) as {
      pid: number;
      startTicks: string;
    };
    if (processInfo(pid)?.startTicks !== startTicks) return;
    console.error(`host stand-in: ${values.dir} is run by process ${pid} already; stop it first`);
    process.exit(1);
  } catch {
    // No host file, or one torn by a kill: nobody runs this machine.
  }
}

const machine = new Machine(resolve(values.dir));
const hostFile = machine.at("run/host/host.json");
refuseSecondHost(hostFile);
const killed = new ProcessRecord(machine.at("run/host/processes.jsonl")).killLeftovers();
if (killed.length > 0)
  console.error(`host stand-in: killed ${killed.length} processes an earlier host left behind`);

const manager = new Manager(machine);
const agent = new Agent(machine, manager.record);
const power = new Power(manager, agent);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(values.port),
  idleTimeout: 0,
  fetch: controlHandler(manager, agent, power),
});
const control = `http://127.0.0.1:${server.port}`;
writeFileSync(
  hostFile,
  JSON.stringify({ control, pid: process.pid, startTicks: processInfo(process.pid)?.startTicks }),
);
writeShims(machine, hostFile);

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  registration?.[Symbol.dispose]();
  await power.halt(false);
  await manager[Symbol.asyncDispose]();
  await server.stop(true);
  rmSync(hostFile, { force: true });
  rmSync(machine.at("run/host/processes.jsonl"), { force: true });
  process.exit(0);
}
let registration: Disposable | undefined;
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end());
if (values["exit-with-parent"]) {
  process.stdin.on("end", () => void end());
  process.stdin.on("close", () => void end());
  process.stdin.resume();
}

if (values.boot) await power.boot();
if (values.aws !== undefined) {
  const boot = (): void => {
    if (!manager.bootedAt && !ending) void power.boot();
  };
  try {
    registration = await register({
      aws: values.aws,
      instanceId: values["instance-id"],
      control,
      isUp: () => manager.bootedAt !== undefined,
      onRunning: boot,
    });
  } catch (error) {
    console.error(`host stand-in: couldn't register at ${values.aws}: ${(error as Error).message}`);
    await end();
  }
}
console.log(JSON.stringify({ ready: true, dir: machine.root, control, pid: process.pid }));
