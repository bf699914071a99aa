import type { Database } from "bun:sqlite";
import { AwsError } from "../service.ts";

export type InstanceState = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

export const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export interface Instance {
  readonly id: string;
  readonly state: InstanceState;
  /** Milliseconds since 1970 of the last change of state. */
  readonly stateSince: number;
  readonly launchedAt: number;
  readonly stopProtected: boolean;
  readonly terminationProtected: boolean;
  readonly instanceType: string;
  readonly imageId: string;
  readonly subnetId: string;
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Base URL of the host stand-in that is this machine; empty when none has registered. */
  readonly control: string;
  /** The disk it was launched with, where the launch says something of it. */
  readonly rootVolume?: RootVolume;
  /** When its SSM agent last reported; 0: never. */
  readonly pingedAt: number;
}

export interface RootVolume {
  readonly type: string;
  readonly size: number;
  readonly encrypted: boolean;
  readonly kmsKeyId: string;
}

interface Row {
  readonly id: string;
  readonly data: string;
}

/** The instances of the account, durable in the stand-in's database. */
export class InstanceStore {
  constructor(readonly db: Database) {
    db.run("CREATE TABLE IF NOT EXISTS ec2_instances (id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT");
  }

  all(): Instance[] {
    return this.db.query<Row, []>("SELECT id, data FROM ec2_instances ORDER BY id").all().map(fromRow);
  }

  find(id: string): Instance | undefined {
    const row = this.db.query<Row, [string]>("SELECT id, data FROM ec2_instances WHERE id = ?").get(id);
    return row ? fromRow(row) : undefined;
  }

  /** Throws InvalidInstanceID.NotFound or .Malformed, as EC2 does. */
  get(id: string): Instance {
    if (!/^i-[0-9a-f]{8,17}$/.test(id))
      throw new AwsError("InvalidInstanceID.Malformed", `Invalid id: "${id}"`);
    const found = this.find(id);
    if (!found) throw new AwsError("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
    return found;
  }

  save(instance: Instance): Instance {
    this.db.run("INSERT OR REPLACE INTO ec2_instances (id, data) VALUES (?, ?)", [
      instance.id,
      JSON.stringify(instance),
    ]);
    return instance;
  }

  /** Changes some fields of what is stored now; a change of state restarts its clock. */
  update(id: string, changes: Partial<Instance>, now: number): Instance {
    const current = this.get(id);
    const moved = changes.state !== undefined && changes.state !== current.state;
    return this.save({ ...current, ...changes, ...(moved ? { stateSince: now } : {}) });
  }
}

function fromRow(row: Row): Instance {
  return JSON.parse(row.data) as Instance;
}

export function newInstance(
  id: string,
  state: InstanceState,
  tags: Readonly<Record<string, string>>,
  now: number,
): Instance {
  return {
    id,
    state,
    tags,
    stateSince: now,
    launchedAt: now,
    stopProtected: false,
    terminationProtected: false,
    instanceType: "t3.medium",
    imageId: "ami-0123456789abcdef0",
    subnetId: "subnet-0123456789abcdef0",
    userData: "",
    control: "",
    pingedAt: 0,
  };
}
