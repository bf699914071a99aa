/** One client connection and its own connection to the database. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { serialize } from "bson";
import { DialectError, errorDocument } from "./errors.ts";
import { Framer } from "./wire/framer.ts";
import {
  messageOf,
  ProtocolViolation,
  type Request,
  readRequest,
  replyDocument,
  replyTo,
  withoutClusterTime,
  withoutExhaust,
} from "./wire/messages.ts";
import { MalformedDocument } from "./wire/raw.ts";

/** What the dialect makes of a request. */
export type Decision =
  /** To the database, in another form where `body` is given; `reply` rewrites the document that comes back. */
  | {
      readonly forward: true;
      readonly body?: Buffer;
      readonly reply?: (document: Buffer) => Buffer | Promise<Buffer>;
    }
  /** Answered here. */
  | { readonly answer: Buffer };

export type Dialect = (request: Request, session: Session) => Decision | Promise<Decision>;

const MAX_QUEUED_FRAMES = 64;

type OnReply = (document: Buffer) => void;

export class Session {
  readonly #pending = new Map<number, OnReply>();
  readonly #queue: Buffer[] = [];
  #busy = false;
  #nextInternalId = -2_147_483_648;
  #closed = false;
  readonly #onClose: (() => void)[] = [];

  constructor(
    readonly client: Socket,
    readonly upstream: Socket,
    readonly shared: { readonly dialect: Dialect; operationTime: bigint },
    /** Whom the client reached: the writer or a reader, and at which host:port. */
    readonly endpoint: { readonly isReader: boolean; readonly address: string },
  ) {
    const fromClient = new Framer((frame) => {
      this.#queue.push(frame);
      if (this.#queue.length >= MAX_QUEUED_FRAMES) client.pause();
    });
    const fromUpstream = new Framer((frame) => this.#onUpstreamFrame(frame));
    this.#pump(client, upstream, (chunk) => {
      fromClient.push(chunk);
      this.#work();
    });
    this.#pump(upstream, client, (chunk) => fromUpstream.push(chunk));
  }

  /** Closing either end closes the other; a full end stops the reading of the other. */
  #pump(from: Socket, to: Socket, onChunk: (chunk: Buffer) => void): void {
    from.on("data", (chunk: Buffer) => {
      try {
        onChunk(chunk);
      } catch (cause) {
        this.#fail(cause);
      }
      if (to.writableNeedDrain) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("close", () => this.close());
    from.on("error", () => this.close());
  }

  #fail(cause: unknown): void {
    if (!(cause instanceof ProtocolViolation || cause instanceof MalformedDocument)) {
      console.error("documentdb: a connection failed", cause);
    }
    this.close();
  }

  onClose(action: () => void): void {
    this.#onClose.push(action);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.client.destroy();
    this.upstream.destroy();
    for (const action of this.#onClose) action();
  }

  /** Runs a command upstream with the client's own rights. Gives the reply's document, errors included. */
  request(database: string, command: Buffer | Record<string, unknown>): Promise<Buffer> {
    const body = Buffer.isBuffer(command) ? command : Buffer.from(serialize({ ...command, $db: database }));
    const id = this.#nextInternalId++;
    if (this.#nextInternalId >= 0) this.#nextInternalId = -2_147_483_648;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new ProtocolViolation("the connection is closed"));
        return;
      }
      this.#pending.set(id, resolve);
      this.upstream.write(messageOf(body, id));
    });
  }

  #work(): void {
    while (!this.#busy && this.#queue.length > 0 && !this.#closed) {
      const frame = this.#queue.shift()!;
      if (this.#queue.length === MAX_QUEUED_FRAMES - 1) this.client.resume();
      const request = readRequest(frame);
      const done = this.#handle(request);
      if (!done) continue;
      this.#busy = true;
      done
        .catch((cause: unknown) => this.#fail(cause))
        .finally(() => {
          this.#busy = false;
          try {
            this.#work();
          } catch (cause) {
            this.#fail(cause);
          }
        });
    }
  }

  #handle(request: Request): Promise<void> | undefined {
    let decision: Decision | Promise<Decision>;
    try {
      decision = this.shared.dialect(request, this);
    } catch (cause) {
      this.#answerError(request, cause);
      return undefined;
    }
    if (!(decision instanceof Promise)) {
      this.#carryOut(request, decision);
      return undefined;
    }
    return decision.then(
      (decided) => this.#carryOut(request, decided),
      (cause: unknown) => this.#answerError(request, cause),
    );
  }

  #carryOut(request: Request, decision: Decision): void {
    if ("answer" in decision) {
      if (!request.silent) this.client.write(replyTo(request, decision.answer));
      return;
    }
    const { body, reply } = decision;
    if (reply && !request.silent)
      this.#pending.set(request.requestId, (document) => this.#rewrite(request, document, reply));
    this.upstream.write(
      body ? messageOf(body, request.requestId, request.sequences, request.silent) : withoutExhaust(request),
    );
  }

  #rewrite(request: Request, document: Buffer, reply: (document: Buffer) => Buffer | Promise<Buffer>): void {
    try {
      const rewritten = reply(document);
      if (rewritten instanceof Promise) {
        rewritten.then(
          (bytes) => this.client.write(replyTo(request, bytes)),
          (cause: unknown) => this.#answerError(request, cause),
        );
      } else this.client.write(replyTo(request, rewritten));
    } catch (cause) {
      this.#answerError(request, cause);
    }
  }

  #answerError(request: Request, cause: unknown): void {
    if (this.#closed) return;
    if (!(cause instanceof DialectError)) console.error(`documentdb: ${request.command} failed`, cause);
    const error =
      cause instanceof DialectError
        ? cause
        : new DialectError(
            1,
            `documentdb stand-in: ${cause instanceof Error ? cause.message : String(cause)}`,
          );
    if (!request.silent) this.client.write(replyTo(request, errorDocument(error, this.shared.operationTime)));
  }

  #onUpstreamFrame(received: Buffer): void {
    const { frame, operationTime } = withoutClusterTime(received);
    if (operationTime !== undefined && operationTime > this.shared.operationTime) {
      this.shared.operationTime = operationTime;
    }
    const responseTo = frame.readInt32LE(8);
    const onReply = this.#pending.get(responseTo);
    if (!onReply) {
      this.client.write(frame);
      return;
    }
    this.#pending.delete(responseTo);
    onReply(replyDocument(frame));
  }
}
