import type { ServiceStatus } from "../../core/failback/documents.ts";
import type { ServiceContext } from "./definition.ts";

const reportEveryMs = 1000;

/** Counts work and tells the status of it at most once a second, with rate and estimate. */
export class Progress {
  private readonly startedMs: number;
  private done = 0;
  private reportedMs = Number.NEGATIVE_INFINITY;

  /** @param total what there is to do; where more comes, the total grows with it */
  constructor(
    private readonly service: Pick<ServiceContext, "clock" | "status">,
    private readonly unit: string,
    private readonly total: number,
    private readonly detail: ServiceStatus["detail"] = {},
  ) {
    this.startedMs = service.clock.monotonicMs();
  }

  add(count: number): void {
    this.done += count;
    const nowMs = this.service.clock.monotonicMs();
    if (nowMs - this.reportedMs < reportEveryMs) return;
    this.reportedMs = nowMs;
    const { done, unit } = this;
    const perSecond = (done * 1000) / Math.max(1, nowMs - this.startedMs);
    const total = Math.max(done, this.total);
    const estimate = perSecond > 0 ? { etaSeconds: (total - done) / perSecond } : {};
    const progress = { done, total, unit, perSecond, ...estimate };
    this.service.status.update({ state: "running", progress, detail: this.detail ?? {} });
  }
}
