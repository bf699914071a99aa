import type {
  AccessControl,
  OpenWriterConnections,
  RunningOperation,
  WriterConnection,
} from "../../core/access/ports.ts";
import type { CustomRole, Principal, RoleReference } from "../../core/access/principal.ts";
import { writingRoles } from "../../core/access/write-access.ts";
import type { Clock } from "../../core/ports.ts";

export interface FakeServerOptions {
  readonly clock: Clock;
  readonly databases: readonly string[];
  readonly users: Readonly<Record<string, readonly RoleReference[]>>;
  /** Connections opened before a change keep the rights they had for this long. */
  readonly staleMs?: number;
}

/** Users and roles of a server in memory, with sessions that outlive a demotion. For tests at the ports. */
export class FakeServer implements AccessControl {
  readonly users = new Map<string, RoleReference[]>();
  readonly roles = new Map<string, CustomRole>();
  /** What was done, in order: `setRoles application read@shop`. */
  readonly calls: string[] = [];
  operations: RunningOperation[] = [];
  openConnectionCount = 0;
  private readonly changedMs = new Map<string, number>();

  constructor(private readonly options: FakeServerOptions) {
    for (const [name, roles] of Object.entries(options.users)) this.users.set(name, [...roles]);
  }

  async principals(): Promise<Principal[]> {
    return [...this.users].map(([user, roles]) => ({ user, db: "admin", roles }));
  }

  async customRoles(): Promise<CustomRole[]> {
    return [...this.roles.values()];
  }

  async setRoles({ user }: Pick<Principal, "user" | "db">, roles: readonly RoleReference[]): Promise<void> {
    this.calls.push(`setRoles ${user} ${roles.map(({ role, db }) => `${role}@${db}`).join(" ")}`);
    this.users.set(user, [...roles]);
    this.changedMs.set(user, this.options.clock.monotonicMs());
  }

  async putRole(name: string, privileges: CustomRole["privileges"]): Promise<void> {
    this.calls.push(`putRole ${name}`);
    this.roles.set(name, { role: name, db: "admin", roles: [], ...(privileges ? { privileges } : {}) });
  }

  async dropRole(name: string): Promise<void> {
    this.calls.push(`dropRole ${name}`);
    this.roles.delete(name);
  }

  async running(): Promise<RunningOperation[]> {
    return this.operations;
  }

  async kill({ id }: RunningOperation): Promise<void> {
    this.calls.push(`kill ${id}`);
    this.operations = this.operations.filter((operation) => operation.id !== id);
  }

  canWrite(user: string): boolean {
    const principal = { user, db: "admin", roles: this.users.get(user) ?? [] };
    return writingRoles(principal, [...this.roles.values()], this.options.databases).length > 0;
  }

  readonly openConnections: OpenWriterConnections = async ({ name }, count) => {
    const couldWrite = this.canWrite(name);
    this.calls.push(`open ${name} ${couldWrite ? "as writer" : "as reader"}`);
    return Array.from({ length: count }, () => this.connection(name, couldWrite));
  };

  private connection(user: string, couldWrite: boolean): WriterConnection {
    this.openConnectionCount++;
    return {
      probe: async () => {
        const sinceMs =
          this.options.clock.monotonicMs() - (this.changedMs.get(user) ?? Number.NEGATIVE_INFINITY);
        const stale = couldWrite && sinceMs < (this.options.staleMs ?? 0);
        return stale || this.canWrite(user) ? "allowed" : "refused";
      },
      close: async () => {
        this.openConnectionCount--;
      },
    };
  }
}
