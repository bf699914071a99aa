/**
 * One member of the set: a listening port. All members stand on one storage in one process, so they never differ in
 * data: what a client sees of a set (addresses, roles, elections, lost connections) is real, replication lag isn't.
 */
import type { TCPSocketListener } from "bun";
import { ObjectId } from "../engine/value.ts";
import { Connection, type RequestHandler } from "../server/connection.ts";

export type MemberState = "PRIMARY" | "SECONDARY" | "DOWN";

export class Member {
  readonly id: number;
  port: number;
  state: MemberState = "SECONDARY";
  /** Changes with each start, as a restarted mongod's does. */
  processId = new ObjectId();
  topologyCounter = 0n;
  startedAt = Date.now();
  electedAt = 0;
  readonly connections = new Set<Connection>();
  private listener: TCPSocketListener<Connection | undefined> | undefined;

  constructor(id: number, port: number) {
    this.id = id;
    this.port = port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The fail point `stopReplProducer`: the member takes over nothing new. */
  stalled = false;

  get replicates(): boolean {
    return this.up && !this.stalled;
  }

  get up(): boolean {
    return this.state !== "DOWN";
  }

  /** Which change of the set the member knows of, as clients compare it. */
  get topologyVersion(): { processId: ObjectId; counter: bigint } {
    return { processId: this.processId, counter: this.topologyCounter };
  }

  /** Begins to listen; port 0 takes any and keeps it. */
  listen(nextId: () => number, handle: RequestHandler): void {
    const member = this;
    this.listener = Bun.listen<Connection | undefined>({
      hostname: "127.0.0.1",
      port: this.port,
      socket: {
        open(socket) {
          const connection = new Connection(nextId(), member, socket, handle);
          socket.data = connection;
          socket.setNoDelay(true);
          member.connections.add(connection);
        },
        data(socket, data) {
          socket.data?.received(data);
        },
        drain(socket) {
          socket.data?.drain();
        },
        close(socket) {
          if (!socket.data) return;
          member.connections.delete(socket.data);
          socket.data.ended();
        },
        error(socket) {
          socket.data?.close();
        },
      },
    });
    this.port = this.listener.port;
  }

  /** Closes the port and every connection at once, as a killed process does. */
  kill(): void {
    this.state = "DOWN";
    this.listener?.stop(true);
    this.listener = undefined;
    for (const connection of [...this.connections]) connection.close();
    this.connections.clear();
  }

  /** A restarted process: new id, counters from the start. */
  restarted(): void {
    this.processId = new ObjectId();
    this.topologyCounter = 0n;
    this.startedAt = Date.now();
    this.state = "SECONDARY";
  }
}
