import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readJournal } from "../../sandbox/host/journal.ts";
import { isAlive, signalProcess } from "../../sandbox/host/processes.ts";
import { startHost, systemctl } from "../../sandbox/up/host.ts";
import { programFolder, type TestMachine } from "./machine.ts";
import { builtWorker, workerFolder } from "./product-units.ts";
import { buildProgram } from "./program.ts";

/** The host stand-in, switched on, in a temporary folder. */
export async function bootStandIn(): Promise<TestMachine> {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-conformance-"));
  const root = join(folder, "root");
  await buildProgram(join(root, programFolder));
  process.env.ROUNDTRIP_CONFORMANCE_LEAK = "leaked";
  if (existsSync(builtWorker)) symlinkSync(dirname(builtWorker), join(root, workerFolder));
  const host = await startHost({ dir: root });
  return {
    name: "host stand-in",
    write(path, content, mode) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { mode });
    },
    read(path) {
      try {
        return readFileSync(join(root, path), "utf8");
      } catch {
        return undefined;
      }
    },
    complaints: async (unit) =>
      readJournal(join(root, "var/log/journal"), [unit])
        .filter(({ stream, message }) => stream === "systemd" && /ignoring/i.test(message))
        .map(({ message }) => message),
    path: (path) => join(root, path),
    behave: (behaviour) => writeFileSync(join(root, programFolder, "behaviour"), behaviour),
    systemctl: (...argv) => systemctl(host, ...argv),
    output: async (unit) =>
      readJournal(join(root, "var/log/journal"), [unit])
        .filter(({ stream }) => stream !== "systemd")
        .map(({ message }) => message),
    signal: async (pid, signal) => signalProcess(pid, `SIG${signal}` as NodeJS.Signals),
    isAlive: async (pid) => isAlive(pid),
    async [Symbol.asyncDispose]() {
      await host.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
