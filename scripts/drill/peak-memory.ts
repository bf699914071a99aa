import { readFile } from "node:fs/promises";
import type { World } from "./world.ts";

const everyMs = 250;

/** The kernel's own high-water mark (VmHWM) of the two workers that carry the data, read while they live. */
export class PeakMemory {
  readonly peakMiB = { replication: 0, restore: 0 };
  private timer: ReturnType<typeof setInterval> | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(private readonly world: Pick<World, "mainPid">) {}

  watch(): void {
    this.timer = setInterval(() => {
      this.looking = this.look();
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    for (const service of ["replication", "restore"] as const) {
      const pid = await this.world.mainPid(`${service}.service`);
      if (!pid) continue;
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const kib = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
      this.peakMiB[service] = Math.max(this.peakMiB[service], Math.round(kib / 1024));
    }
  }
}
