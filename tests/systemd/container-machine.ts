import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Container } from "./container.ts";
import { programFolder, type TestMachine } from "./machine.ts";
import { builtWorker, workerFolder } from "./product-units.ts";
import { buildProgram } from "./program.ts";

/** A Debian container with systemd as pid 1. */
export async function bootContainer(): Promise<TestMachine> {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-conformance-"));
  // Dynamic users of the container must be able to read it.
  chmodSync(folder, 0o755);
  await buildProgram(folder);
  const worker: Record<string, string> = existsSync(builtWorker)
    ? { [workerFolder]: dirname(builtWorker) }
    : {};
  const container = await Container.boot({ [programFolder]: folder, ...worker });
  return {
    name: "systemd in a container",
    write(path, content, mode) {
      mkdirSync(dirname(container.root + path), { recursive: true });
      writeFileSync(container.root + path, content, { mode });
    },
    read(path) {
      try {
        return readFileSync(container.root + path, "utf8");
      } catch {
        return undefined;
      }
    },
    async complaints(unit) {
      const { stdout, stderr } = await container.run(
        "systemd-analyze",
        "verify",
        `/etc/systemd/system/${unit}`,
      );
      return `${stdout}${stderr}`.split("\n").filter((line) => line.includes(unit));
    },
    path: (path) => path,
    behave: (behaviour) => writeFileSync(join(folder, "behaviour"), behaviour),
    systemctl: (...argv) => container.run("systemctl", ...argv),
    async output(unit) {
      await container.run("journalctl", "--sync");
      const { stdout } = await container.run(
        "journalctl",
        "-o",
        "json",
        "--no-pager",
        `_SYSTEMD_UNIT=${unit}`,
        "+",
        `UNIT=${unit}`,
      );
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { MESSAGE: string; _TRANSPORT: string })
        .filter(({ _TRANSPORT }) => _TRANSPORT === "stdout")
        .map(({ MESSAGE }) => MESSAGE);
    },
    async signal(pid, signal) {
      await container.run("sh", "-c", `kill -${signal} ${pid}`);
    },
    isAlive: async (pid) => (await container.run("sh", "-c", `kill -0 ${pid}`)).status === 0,
    async [Symbol.asyncDispose]() {
      await container[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
