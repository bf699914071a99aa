import type { OperationTime } from "../ports.ts";

/** `replication-tasks.json`: where each DMS task stood when the failback began. */
export interface RecordedTasks {
  readonly recordedAt?: string;
  readonly tasks: readonly RecordedTask[];
}

export interface RecordedTask {
  readonly id: string;
  /** `timestamp` only when DMS's own form was recognised. */
  readonly checkpoint?: { readonly raw: string; readonly timestamp?: OperationTime };
  readonly stoppedAt?: string;
  /** `<database>.<collection>` of what it replicates: its checkpoint speaks for these. */
  readonly tables?: readonly string[];
}

/** Which of two times comes first: negative, zero or positive, as `sort` wants it. */
export function compareTimes(left: OperationTime, right: OperationTime): number {
  return left.t - right.t || left.i - right.i;
}

export function timeInWords({ t, i }: OperationTime): string {
  return `${t}:${i} (${new Date(t * 1000).toISOString()})`;
}
