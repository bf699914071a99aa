import type { Database } from "bun:sqlite";
import type { DocumentContent } from "./document-content.ts";

export type InvocationStatus =
  | "Pending"
  | "InProgress"
  | "Delayed"
  | "Success"
  | "Cancelled"
  | "TimedOut"
  | "Failed"
  | "Cancelling";

export interface Command {
  readonly id: string;
  readonly documentName: string;
  readonly documentVersion: string;
  readonly content: DocumentContent;
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  /** As SendCommand was given them, for the command's record. */
  readonly given: Readonly<Record<string, readonly string[]>>;
  readonly comment: string;
  readonly instanceIds: readonly string[];
  readonly targets: readonly unknown[];
  readonly timeoutSeconds: number;
  readonly outputBucket: string;
  readonly outputPrefix: string;
  readonly requestedAt: number;
}

export interface StepResult {
  readonly name: string;
  readonly status: InvocationStatus;
  readonly exitCode: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Invocation {
  readonly commandId: string;
  readonly instanceId: string;
  readonly status: InvocationStatus;
  readonly details: string;
  readonly steps: readonly StepResult[];
  /** When the agent took it; 0: not yet. */
  readonly deliveredAt: number;
  readonly cancelRequested: boolean;
  /** How often somebody asked for it before it was visible. */
  readonly reads: number;
}

export const terminal: ReadonlySet<InvocationStatus> = new Set([
  "Success",
  "Cancelled",
  "TimedOut",
  "Failed",
]);

/** Commands and their invocations, durable: a restart of the stand-in forgets none that runs. */
export class CommandStore {
  constructor(readonly db: Database) {
    db.run(
      "CREATE TABLE IF NOT EXISTS ssm_commands (id TEXT PRIMARY KEY, requested_at INTEGER NOT NULL, data TEXT NOT NULL) STRICT",
    );
    db.run(`CREATE TABLE IF NOT EXISTS ssm_invocations (command_id TEXT NOT NULL, instance_id TEXT NOT NULL, is_open INTEGER NOT NULL,
      data TEXT NOT NULL, PRIMARY KEY (command_id, instance_id)) STRICT`);
  }

  add(command: Command): void {
    this.db.transaction(() => {
      this.db.run("INSERT INTO ssm_commands (id, requested_at, data) VALUES (?, ?, ?)", [
        command.id,
        command.requestedAt,
        JSON.stringify(command),
      ]);
      for (const instanceId of command.instanceIds) {
        this.save({
          commandId: command.id,
          instanceId,
          status: "Pending",
          details: "Pending",
          deliveredAt: 0,
          cancelRequested: false,
          reads: 0,
          steps: command.content.mainSteps.map(({ name }) => ({
            name,
            status: "Pending",
            exitCode: -1,
            stdout: "",
            stderr: "",
          })),
        });
      }
    })();
  }

  save(invocation: Invocation): Invocation {
    this.db.run(
      "INSERT OR REPLACE INTO ssm_invocations (command_id, instance_id, is_open, data) VALUES (?, ?, ?, ?)",
      [
        invocation.commandId,
        invocation.instanceId,
        terminal.has(invocation.status) ? 0 : 1,
        JSON.stringify(invocation),
      ],
    );
    return invocation;
  }

  command(id: string): Command | undefined {
    return parse<Command>(
      this.db.query<{ data: string }, [string]>("SELECT data FROM ssm_commands WHERE id = ?").get(id),
    );
  }

  /** Newest first. */
  commands(): Command[] {
    return this.db
      .query<{ data: string }, []>("SELECT data FROM ssm_commands ORDER BY requested_at DESC, id")
      .all()
      .map((row) => parse<Command>(row)!);
  }

  invocation(commandId: string, instanceId: string): Invocation | undefined {
    const query = this.db.query<{ data: string }, [string, string]>(
      "SELECT data FROM ssm_invocations WHERE command_id = ? AND instance_id = ?",
    );
    return parse<Invocation>(query.get(commandId, instanceId));
  }

  invocationsOf(commandId: string): Invocation[] {
    const query = this.db.query<{ data: string }, [string]>(
      "SELECT data FROM ssm_invocations WHERE command_id = ? ORDER BY instance_id",
    );
    return query.all(commandId).map((row) => parse<Invocation>(row)!);
  }

  open(): Invocation[] {
    return this.db
      .query<{ data: string }, []>("SELECT data FROM ssm_invocations WHERE is_open = 1")
      .all()
      .map((row) => parse<Invocation>(row)!);
  }
}

function parse<T>(row: { data: string } | null): T | undefined {
  return row ? (JSON.parse(row.data) as T) : undefined;
}
