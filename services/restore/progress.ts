import type { ServiceContext } from "../runtime/definition.ts";

/** Reports how far the log is applied, how fast, and when it will be through. */
export class ApplyProgress {
  private readonly startedMs: number;

  constructor(
    private readonly service: ServiceContext,
    private readonly from: number,
    private readonly total: number,
  ) {
    this.startedMs = service.clock.monotonicMs();
    this.reached(from, {});
  }

  reached(sequence: number, detail: Readonly<Record<string, string | number | boolean>>): void {
    const seconds = (this.service.clock.monotonicMs() - this.startedMs) / 1000;
    const perSecond = seconds > 0 ? (sequence - this.from) / seconds : 0;
    const left = Math.max(0, this.total - sequence);
    this.service.status.update({
      state: "running",
      progress: {
        done: Math.min(sequence, this.total),
        total: this.total,
        unit: "events",
        perSecond: Math.round(perSecond),
        ...(perSecond > 0 && { etaSeconds: Math.ceil(left / perSecond) }),
      },
      detail: { stage: "apply", appliedThrough: sequence, ...detail },
    });
  }
}

/** Reports how many documents of both sides were compared. */
export class CompareProgress {
  private documents = 0;
  private readonly startedMs: number;

  constructor(private readonly service: ServiceContext) {
    this.startedMs = service.clock.monotonicMs();
    this.read(0);
  }

  read(documents: number): void {
    this.documents += documents;
    const seconds = (this.service.clock.monotonicMs() - this.startedMs) / 1000;
    this.service.status.update({
      state: "running",
      progress: {
        done: this.documents,
        unit: "documents of both sides",
        perSecond: seconds > 0 ? Math.round(this.documents / seconds) : 0,
      },
      detail: { stage: "compare" },
    });
  }
}
