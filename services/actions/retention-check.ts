import type { Check, Environment } from "../../core/failback/documents.ts";
import { check } from "./action.ts";

/** Longest time the host may be down with nothing lost: a start of another instance with margin. */
const hostDownSecondsMax = 7200;

/** DocumentDB keeps its change streams long enough. */
export function retentionCheck({ documentdb }: Pick<Environment, "documentdb">): Check {
  const { changeStreamRetentionSeconds: seconds } = documentdb;
  return check("change stream retention", seconds >= hostDownSecondsMax, {
    expected: `at least ${hostDownSecondsMax} s, so that the host may be down meanwhile`,
    got: `${seconds} s`,
    wayOut: "raise change_stream_log_retention_duration in the cluster's parameter group",
  });
}
