/** One client connection: frames in, replies out, in order; and who has logged in on it. */
import { Buffer } from "node:buffer";
import type { Socket } from "bun";
import type { Principal } from "../auth/principals.ts";
import type { ScramConversation } from "../auth/scram.ts";
import type { Document } from "../engine/value.ts";
import type { Member } from "../members/member.ts";
import {
  HEADER_BYTES,
  MAX_MESSAGE_BYTES,
  ProtocolViolation,
  type Request,
  readRequest,
} from "../wire/message.ts";

export interface SaslState {
  id: number;
  database: string;
  conversation: ScramConversation;
  skipEmptyExchange: boolean;
  proved: boolean;
}

export type RequestHandler = (connection: Connection, request: Request) => Promise<void>;

export class Connection {
  readonly id: number;
  readonly member: Member;
  readonly socket: Socket<Connection | undefined>;
  readonly remote: string;
  private readonly handle: RequestHandler;
  principals = new Map<string, Principal>();
  sasl: SaslState | undefined;
  /** What the driver said about itself in its first hello. */
  metadata: Document | undefined;
  appName: string | undefined;
  compression = false;
  closed = false;
  /** Wakes whatever waits on behalf of this connection when it goes. */
  readonly onClose = new Set<() => void>();
  private incoming: Buffer[] = [];
  private incomingBytes = 0;
  private readonly queue: Request[] = [];
  private working = false;
  private outgoing: Uint8Array[] = [];
  private drained: (() => void) | undefined;

  constructor(id: number, member: Member, socket: Socket<Connection | undefined>, handle: RequestHandler) {
    this.id = id;
    this.member = member;
    this.socket = socket;
    this.handle = handle;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
  }

  /** The first user logged in; sessions and the server's log use it. */
  get principal(): Principal | undefined {
    for (const principal of this.principals.values()) return principal;
    return undefined;
  }

  received(data: Buffer): void {
    // The socket's buffer is reused after this call returns.
    this.incoming.push(Buffer.from(data));
    this.incomingBytes += data.length;
    try {
      this.takeFrames();
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      console.error(
        JSON.stringify({ severity: "W", at: new Date(), message: `closed ${this.remote}: ${error.message}` }),
      );
      this.close();
    }
  }

  private takeFrames(): void {
    while (this.incomingBytes >= HEADER_BYTES) {
      const head = this.incoming[0]!.length >= 4 ? this.incoming[0]! : this.joined();
      const length = head.readInt32LE(0);
      if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES)
        throw new ProtocolViolation(`frame of ${length} bytes`);
      if (this.incomingBytes < length) return;
      const all = this.joined();
      const frame = all.subarray(0, length);
      this.incoming = all.length > length ? [all.subarray(length)] : [];
      this.incomingBytes -= length;
      this.queue.push(readRequest(frame));
    }
    if (!this.working && this.queue.length > 0) void this.work();
  }

  private joined(): Buffer {
    const all = this.incoming.length === 1 ? this.incoming[0]! : Buffer.concat(this.incoming);
    this.incoming = [all];
    return all;
  }

  private async work(): Promise<void> {
    this.working = true;
    try {
      for (let request = this.queue.shift(); request && !this.closed; request = this.queue.shift()) {
        await this.handle(this, request);
      }
    } finally {
      this.working = false;
    }
  }

  /** Sends a frame; resolves when the kernel has taken all of it, so that a slow reader slows its own requests. */
  async send(frame: Uint8Array): Promise<void> {
    if (this.closed) return;
    if (this.outgoing.length === 0) {
      const written = this.socket.write(frame);
      if (written === frame.length) return;
      this.outgoing.push(frame.subarray(Math.max(0, written)));
    } else this.outgoing.push(frame);
    await new Promise<void>((resolve) => {
      const before = this.drained;
      this.drained = () => {
        before?.();
        resolve();
      };
    });
  }

  drain(): void {
    while (this.outgoing.length > 0) {
      const next = this.outgoing[0]!;
      const written = this.socket.write(next);
      if (written < next.length) {
        this.outgoing[0] = next.subarray(Math.max(0, written));
        return;
      }
      this.outgoing.shift();
    }
    const resolve = this.drained;
    this.drained = undefined;
    resolve?.();
  }

  /** Something else than more bytes may be in flight: a client that sends while a request runs is seen here. */
  get busy(): boolean {
    return this.working;
  }

  close(): void {
    if (!this.closed) this.socket.end();
    this.ended();
  }

  /** The socket is gone, from either side. */
  ended(): void {
    if (this.closed) return;
    this.closed = true;
    this.queue.length = 0;
    this.outgoing = [];
    this.drained?.();
    for (const wake of this.onClose) wake();
    this.onClose.clear();
  }
}
