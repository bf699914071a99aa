import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { steerAws } from "../../sandbox/up/aws.ts";
import { Story } from "../../scripts/drill/story.ts";
import { Timeline } from "../../scripts/drill/timeline.ts";
import type { Chaos, DrillResult } from "../../scripts/drill/types.ts";
import { World } from "../../scripts/drill/world.ts";

/** Who is killed, by the name it signs its requests with, and what the kill fault calls its process. */
export const victims: Readonly<Record<string, string>> = {
  replication: "replication.service",
  backup: "backup.service",
  "monitor-replication": "monitor-replication.service",
  restore: "restore.service",
  "monitor-restore": "monitor-restore.service",
  clean: "clean.service",
  "monitor-clean": "monitor-clean.service",
  "failback-start": "runbook-failback-start",
  "failback-restore": "runbook-failback-restore",
  "failback-clean": "runbook-failback-clean",
  "failback-resume": "runbook-failback-resume",
};

/** One place to kill at: the n-th request of a victim, before or after its effect. */
export interface Point {
  readonly caller: string;
  readonly nth: number;
  readonly when: "before" | "after";
}

export interface SweepRun {
  readonly result: DrillResult;
  /** Points at which a kill was really done. */
  readonly killed: readonly Point[];
  readonly armed: readonly Point[];
  /** Requests of each victim in this run. */
  readonly requests: ReadonlyMap<string, number>;
}

const settings = { tailMarginSeconds: 0, heartbeatSeconds: 5 };

/** One small drill with a kill -9 armed at each of `points`; none for a baseline that counts the requests. */
export async function sweepRun(
  points: readonly Point[],
  options: { readonly seed: number; readonly say: (text: string) => void; readonly signal?: AbortSignal },
): Promise<SweepRun> {
  const timeline = new Timeline(options.say, false);
  const signal = options.signal ?? new AbortController().signal;
  await using world = await World.start(timeline, { settings });
  await quicken(world.aws.url, world.hostDirectory);
  const chaos: Chaos = { runbookTriesMax: 60, leaseSeconds: 0.6, arm: (aws) => armAll(aws, points) };
  const drill = { changes: 400, docs: 200, rate: 0, seed: options.seed, json: true, keep: false };
  const { result } = await new Story(world, drill, timeline, signal, chaos).run();
  return {
    result,
    armed: points,
    killed: await killed(world.aws.url, points),
    requests: await requestsOf(world.aws.url),
  };
}

function idOf({ caller, nth, when }: Point): string {
  return `${caller}-${nth}-${when}`;
}

/** A sweep is about requests, not about how long a machine takes to boot or a unit waits before its restart. */
async function quicken(aws: string, hostDirectory: string): Promise<void> {
  for (const unit of Object.values(victims).filter((name) => name.endsWith(".service"))) {
    const folder = join(hostDirectory, "etc/systemd/system", `${unit}.d`);
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "sweep.conf"),
      "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=200ms\n",
    );
  }
  await steerAws(aws, "ec2", { pendingMs: 100, stoppingMs: 100, agentDelayMs: 50 });
  await steerAws(aws, "ssm", { invisibleMs: 100, deliveryMs: 20 });
}

async function armAll(aws: string, points: readonly Point[]): Promise<void> {
  for (const point of points) {
    const { caller, nth, when } = point;
    const action = { kill: victims[caller] };
    await steerAws(aws, "faults", { id: idOf(point), caller, nth, times: 1, when, action });
  }
}

interface ListedFault {
  readonly id: string;
  readonly fired: number;
}

async function killed(aws: string, points: readonly Point[]): Promise<Point[]> {
  const faults = await steerAws<ListedFault[]>(aws, "faults");
  const fired = new Set(faults.filter((fault) => fault.fired > 0).map((fault) => fault.id));
  return points.filter((point) => fired.has(idOf(point)));
}

async function requestsOf(aws: string): Promise<Map<string, number>> {
  const entries = await steerAws<{ caller: string }[]>(aws, "journal");
  const counts = new Map<string, number>();
  for (const { caller } of entries) if (victims[caller]) counts.set(caller, (counts.get(caller) ?? 0) + 1);
  return counts;
}

/**
 * Every request of a baseline, before and after, dealt onto runs so that each run has `apart` requests of a victim
 * between two kills: enough for it to come up again and get on.
 */
export function dealPoints(requests: ReadonlyMap<string, number>, apart: number): Point[][] {
  const runs: Point[][] = Array.from({ length: apart * 2 }, () => []);
  for (const [caller, count] of requests) {
    for (let nth = 1; nth <= count; nth++) {
      runs[((nth - 1) % apart) * 2]!.push({ caller, nth, when: "before" });
      runs[((nth - 1) % apart) * 2 + 1]!.push({ caller, nth, when: "after" });
    }
  }
  return runs.filter((points) => points.length > 0);
}
