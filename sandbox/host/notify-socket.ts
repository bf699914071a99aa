import { dlopen, FFIType, ptr } from "bun:ffi";
import { rmSync } from "node:fs";

const addressFamilyUnix = 1;
const socketDatagram = 2;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const solSocket = 1;
const passCredentials = 16;
const scmCredentials = 2;
const dontWait = 0x40;
const pathBytesMax = 107;
const messageBytesMax = 64 * 1024;
const pollMs = 10;

export interface Notification {
  /** The sender as the kernel attests it (SCM_CREDENTIALS). */
  readonly pid: number;
  readonly fields: Readonly<Record<string, string>>;
}

const libc = () =>
  dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    setsockopt: {
      args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32],
      returns: FFIType.i32,
    },
    recvmsg: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i64 },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  });

/**
 * The AF_UNIX datagram socket behind $NOTIFY_SOCKET (sd_notify(3)). Bun has no such socket, so libc is called
 * directly; it is read without blocking every 10 ms. A path too long for sockaddr_un becomes an abstract address,
 * which sd_notify writes with a leading `@`.
 */
export class NotifySocket implements Disposable {
  readonly address: string;
  readonly #libc = libc();
  readonly #descriptor: number;
  readonly #timer: Timer;
  readonly #path: string | undefined;
  readonly #receive = new ReceiveBuffers();

  constructor(path: string, onNotification: (notification: Notification) => void) {
    const abstract = Buffer.byteLength(path) > pathBytesMax;
    this.address = abstract ? `@roundtrip-notify-${process.pid}-${crypto.randomUUID()}` : path;
    this.#path = abstract ? undefined : path;
    if (this.#path) rmSync(this.#path, { force: true });
    const { symbols } = this.#libc;
    this.#descriptor = symbols.socket(addressFamilyUnix, socketDatagram | closeOnExec | nonBlocking, 0);
    const name = Buffer.from(abstract ? `\0${this.address.slice(1)}` : path);
    const address = Buffer.alloc(2 + name.length + (abstract ? 0 : 1));
    address.writeUInt16LE(addressFamilyUnix, 0);
    name.copy(address, 2);
    const on = Buffer.from([1, 0, 0, 0]);
    const failed =
      this.#descriptor < 0 ||
      symbols.setsockopt(this.#descriptor, solSocket, passCredentials, ptr(on), 4) !== 0 ||
      symbols.bind(this.#descriptor, ptr(address), address.length) !== 0;
    if (failed) throw new Error(`notification socket ${this.address}: libc refused to create or bind it`);
    this.#timer = setInterval(() => this.#drain(onNotification), pollMs);
  }

  #drain(onNotification: (notification: Notification) => void): void {
    for (;;) {
      const length = Number(this.#libc.symbols.recvmsg(this.#descriptor, this.#receive.header(), dontWait));
      if (length < 0) return;
      onNotification({ pid: this.#receive.senderPid(), fields: parseFields(this.#receive.text(length)) });
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#libc.symbols.close(this.#descriptor);
    if (this.#path) rmSync(this.#path, { force: true });
  }
}

/** struct msghdr with one iovec and room for one control message, laid out as on 64-bit Linux. */
class ReceiveBuffers {
  readonly #message = Buffer.alloc(messageBytesMax);
  readonly #control = Buffer.alloc(64);
  readonly #vector = Buffer.alloc(16);
  readonly #header = Buffer.alloc(56);

  header(): ReturnType<typeof ptr> {
    this.#vector.writeBigUInt64LE(BigInt(ptr(this.#message)), 0);
    this.#vector.writeBigUInt64LE(BigInt(messageBytesMax), 8);
    this.#header.fill(0);
    this.#control.fill(0);
    this.#header.writeBigUInt64LE(BigInt(ptr(this.#vector)), 16);
    this.#header.writeBigUInt64LE(1n, 24);
    this.#header.writeBigUInt64LE(BigInt(ptr(this.#control)), 32);
    this.#header.writeBigUInt64LE(BigInt(this.#control.length), 40);
    return ptr(this.#header);
  }

  text(length: number): string {
    return this.#message.toString("utf8", 0, length);
  }

  senderPid(): number {
    const isCredentials =
      this.#control.readInt32LE(8) === solSocket && this.#control.readInt32LE(12) === scmCredentials;
    return isCredentials ? this.#control.readInt32LE(16) : 0;
  }
}

function parseFields(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) fields[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return fields;
}
