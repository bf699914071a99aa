/** From exec until the compiled worker tells systemd READY=1: its configuration is read, signals are handled. */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { testEnvironment } from "../tests/support/capture-context.ts";
import { spreadOf } from "./ratio.ts";
import { reportLimit } from "./support/limit.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, json: { type: "boolean", default: false } },
});
const binary = join(import.meta.dir, "../dist/roundtrip-worker");
if (!existsSync(binary)) {
  console.error("worker-ready: no dist/roundtrip-worker; `make build` builds it");
  process.exit(1);
}
const directory = mkdtempSync(join(tmpdir(), "roundtrip-ready-"));
const config = join(directory, "environment.json");
writeFileSync(config, JSON.stringify(testEnvironment));
const receive = listen(join(directory, "notify"));
const times: number[] = [];
try {
  for (let round = 0; round < Number(values.rounds); round++) times.push(await readyOnce());
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const work = "roundtrip-worker replication";
reportLimit(
  { benchmark: "worker ready after exec", work, value: spreadOf(times), unit: "ms", limit: 100 },
  values.json,
);

async function readyOnce(): Promise<number> {
  const startedAt = performance.now();
  const child = Bun.spawn([binary, "replication"], {
    env: { NOTIFY_SOCKET: join(directory, "notify"), ROUNDTRIP_CONFIG: config, STATE_DIRECTORY: directory },
    stdout: "ignore",
    stderr: "ignore",
  });
  const message = receive();
  const ms = performance.now() - startedAt;
  child.kill("SIGKILL");
  await child.exited;
  if (message !== "READY=1") throw new Error(`expected READY=1 first, got ${message}`);
  return ms;
}

/** A datagram socket as systemd listens on; what it gives waits for the next message. */
function listen(path: string): () => string {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  });
  const descriptor = symbols.socket(1, 2, 0);
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(3 + name.length);
  address[0] = 1;
  address.set(name, 2);
  if (symbols.bind(descriptor, ptr(address), address.length) !== 0) throw new Error(`listen on ${path}`);
  const buffer = new Uint8Array(4096);
  return () => {
    const length = Number(symbols.recv(descriptor, ptr(buffer), buffer.length, 0));
    return new TextDecoder().decode(buffer.subarray(0, length));
  };
}
