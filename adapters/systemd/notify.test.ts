import { dlopen, FFIType, ptr } from "bun:ffi";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNotifier } from "./notify.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
});
const doNotWait = 0x40;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A datagram socket as systemd listens on, and what has arrived there. */
function listen(path: string): () => string[] {
  const descriptor = libc.socket(1, 2, 0);
  const name = new TextEncoder().encode(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  const address = new Uint8Array(2 + name.length + (path.startsWith("@") ? 0 : 1));
  address[0] = 1;
  address.set(name, 2);
  expect(libc.bind(descriptor, ptr(address), address.length)).toBe(0);
  cleanups.push(() => void libc.close(descriptor));
  return () => {
    const messages: string[] = [];
    const buffer = new Uint8Array(4096);
    for (;;) {
      const length = Number(libc.recv(descriptor, ptr(buffer), buffer.length, doNotWait));
      if (length < 0) return messages;
      messages.push(new TextDecoder().decode(buffer.subarray(0, length)));
    }
  };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "roundtrip-notify-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("ready, status and stopping arrive as systemd expects them, on a path and on an abstract name", () => {
  for (const path of [join(folder(), "notify"), `@roundtrip-test-${process.pid}`]) {
    const received = listen(path);
    const notifier = createNotifier({ NOTIFY_SOCKET: path }, () => 0);
    notifier.ready();
    notifier.status("two\nlines");
    notifier.stopping();
    expect(received()).toEqual(["READY=1", "STATUS=two lines", "STOPPING=1"]);
  }
});

test("the watchdog is pinged at most four times an interval, however often the loop turns", () => {
  const path = join(folder(), "notify");
  const received = listen(path);
  let nowMs = 0;
  const notifier = createNotifier({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000000" }, () => nowMs);
  for (nowMs = 0; nowMs < 1000; nowMs += 10) notifier.alive();
  expect(received()).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
});

test("without systemd, without a watchdog, or with nobody listening, nothing happens", () => {
  createNotifier({}, () => 0).ready();
  const path = join(folder(), "notify");
  const received = listen(path);
  createNotifier({ NOTIFY_SOCKET: path }, () => 0).alive();
  expect(received()).toEqual([]);
  createNotifier({ NOTIFY_SOCKET: join(folder(), "nobody") }, () => 0).ready();
});
