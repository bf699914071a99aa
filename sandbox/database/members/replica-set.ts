/** The set: who is primary, elections, step-downs, and waking of clients that await a change of topology. */
import { ServerError } from "../engine/errors.ts";
import { ObjectId } from "../engine/value.ts";
import type { RequestHandler } from "../server/connection.ts";
import type { Storage } from "../storage/storage.ts";
import { encodeReply } from "../wire/writer.ts";
import { Member } from "./member.ts";

export class ReplicaSet {
  readonly name: string;
  readonly members: Member[] = [];
  readonly replicaSetId: ObjectId;
  term: number;
  readonly configVersion: number;
  /** From the loss of a primary to the next one; a real set takes 10 s and more by default. */
  electionMs = 500;
  private readonly storage: Storage;
  private readonly handle: RequestHandler;
  /** Connections ever accepted. */
  connectionsCreated = 0;
  private readonly waiting = new Set<() => void>();
  private election: ReturnType<typeof setTimeout> | undefined;
  private frozenUntil = new Map<Member, number>();

  constructor(storage: Storage, name: string, count: number, firstPort: number, handle: RequestHandler) {
    this.storage = storage;
    this.handle = handle;
    const known = storage.meta.text("setName");
    if (known !== undefined && known !== name) {
      throw new Error(
        `the data folder belongs to set '${known}', expected '${name}': use --set ${known} or another --dir`,
      );
    }
    this.name = name;
    this.replicaSetId = new ObjectId(this.remember("replicaSetId", () => new ObjectId().toHexString()));
    this.term = Number(storage.meta.text("term") ?? "0");
    this.configVersion = 1;
    storage.meta.set("setName", name);
    const ports = JSON.parse(storage.meta.text("ports") ?? "[]") as number[];
    for (let id = 0; id < count; id++) {
      const fallback = id === 0 ? firstPort : 0;
      this.members.push(new Member(id, ports[id] ?? fallback));
    }
  }

  private remember(name: string, make: () => string): string {
    const known = this.storage.meta.text(name);
    if (known !== undefined) return known;
    const value = make();
    this.storage.meta.set(name, value);
    return value;
  }

  /** Opens all ports, keeps them for later starts, and elects the member that was primary last. */
  start(): void {
    for (const member of this.members) this.listen(member);
    this.storage.meta.set("ports", JSON.stringify(this.members.map((member) => member.port)));
    const last = Number(this.storage.meta.text("primary") ?? "0");
    this.elect(this.members[last] ?? this.members[0]!);
  }

  private listen(member: Member): void {
    member.listen(() => ++this.connectionsCreated, this.handle);
  }

  get primary(): Member | undefined {
    return this.members.find((member) => member.state === "PRIMARY");
  }

  get hosts(): string[] {
    return this.members.map((member) => member.host);
  }

  get electionId(): ObjectId {
    return new ObjectId(`7fffffff00000000${this.term.toString(16).padStart(8, "0")}`);
  }

  private elect(member: Member): void {
    clearTimeout(this.election);
    this.election = undefined;
    this.term++;
    this.storage.meta.set("term", String(this.term));
    this.storage.meta.set("primary", String(member.id));
    this.storage.oplog.term = this.term;
    for (const other of this.members) if (other.state === "PRIMARY") other.state = "SECONDARY";
    member.state = "PRIMARY";
    member.electedAt = Date.now();
    this.storage.write((unit) => {
      unit.log({
        operation: "n",
        ns: "",
        uuid: undefined,
        body: encodeReply({ msg: "new primary" }),
        key: undefined,
      });
    });
    this.changed();
  }

  /** Tells every client that awaits a hello, and counts the change. */
  changed(): void {
    for (const member of this.members) member.topologyCounter++;
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  /** Calls `wake` at the next change; the returned function takes it back. */
  onChange(wake: () => void): () => void {
    this.waiting.add(wake);
    return () => this.waiting.delete(wake);
  }

  private scheduleElection(afterMs: number): void {
    clearTimeout(this.election);
    this.election = setTimeout(() => {
      const now = Date.now();
      const able = this.members.find((member) => member.up && (this.frozenUntil.get(member) ?? 0) <= now);
      if (able) this.elect(able);
      else this.scheduleElection(100);
    }, afterMs);
  }

  /** The primary gives up its role; another member takes it after an election. */
  stepDown(seconds: number): void {
    const primary = this.primary;
    if (!primary) throw new ServerError("NotWritablePrimary", "not primary so can't step down");
    this.frozenUntil.set(primary, Date.now() + seconds * 1000);
    primary.state = "SECONDARY";
    this.changed();
    this.scheduleElection(Math.min(this.electionMs, 100));
  }

  freeze(member: Member, seconds: number): void {
    this.frozenUntil.set(member, seconds === 0 ? 0 : Date.now() + seconds * 1000);
  }

  kill(member: Member): void {
    const wasPrimary = member.state === "PRIMARY";
    member.kill();
    this.changed();
    if (wasPrimary) this.scheduleElection(this.electionMs);
  }

  restart(member: Member): void {
    if (member.up) this.kill(member);
    member.restarted();
    this.listen(member);
    this.changed();
    if (!this.primary && this.election === undefined) this.scheduleElection(this.electionMs);
  }

  stop(): void {
    clearTimeout(this.election);
    for (const member of this.members) member.kill();
  }
}
