/**
 * sd_notify(3) without libsystemd: one datagram to the socket that systemd names in $NOTIFY_SOCKET.
 * Bun has no AF_UNIX datagrams, so libc is called directly. Without the variable every call does nothing.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const addressFamilyUnix = 1;
const socketDatagramCloseOnExec = 2 | 0o2000000;
const pathBytesMax = 108;

export interface Notifier {
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  stopping(): void;
  /** Says the service makes progress. To be called from the loop that does the work, never from a timer. */
  alive(): void;
}

const silent: Notifier = { ready() {}, status() {}, stopping() {}, alive() {} };

/**
 * The notifier for this process. `alive` sends at most four datagrams a watchdog interval
 * (WATCHDOG_USEC), so that a tight loop may call it for every batch.
 */
export function createNotifier(
  environment: Readonly<Record<string, string | undefined>>,
  monotonicMs: () => number,
): Notifier {
  const path = environment.NOTIFY_SOCKET;
  if (!path) return silent;
  const send = openSocket(path);
  const watchdogMs = Number(environment.WATCHDOG_USEC ?? 0) / 1000;
  let lastAliveMs = Number.NEGATIVE_INFINITY;
  return {
    ready: () => send("READY=1"),
    status: (text) => send(`STATUS=${text.replaceAll("\n", " ")}`),
    stopping: () => send("STOPPING=1"),
    alive() {
      if (watchdogMs === 0 || monotonicMs() - lastAliveMs < watchdogMs / 4) return;
      lastAliveMs = monotonicMs();
      send("WATCHDOG=1");
    },
  };
}

function openSocket(path: string): (message: string) => void {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    sendto: {
      args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
      returns: FFIType.i64,
    },
  });
  const descriptor = symbols.socket(addressFamilyUnix, socketDatagramCloseOnExec, 0);
  if (descriptor < 0) throw new Error(`notify systemd: no datagram socket for ${path}`);
  const address = socketAddress(path);
  return (message) => {
    const bytes = new TextEncoder().encode(message);
    // A datagram that systemd doesn't take is no reason to stop: the watchdog decides.
    symbols.sendto(descriptor, ptr(bytes), bytes.length, 0, ptr(address), address.length);
  };
}

/** struct sockaddr_un; a leading @ means the abstract namespace, whose first byte is zero. */
function socketAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length >= pathBytesMax)
    throw new Error(`notify systemd: ${path} is longer than a socket path may be`);
  const abstract = path.startsWith("@");
  const address = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  new DataView(address.buffer).setUint16(0, addressFamilyUnix, true);
  address.set(name, 2);
  if (abstract) address[2] = 0;
  return address;
}
