import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { nextElapse } from "./calendar.ts";
import type { ActiveState } from "./service-status.ts";
import type { LoadedUnit } from "./unit-loader.ts";

const timerMsMax = 2_147_483_647;

export interface TimerContext {
  /** Where Persistent= keeps the moment it last fired. */
  readonly stampPath: string;
  readonly bootedAt: Date;
  trigger(unit: string): void;
  /** When the unit it starts last became active and last ended, if ever since boot. */
  activity(unit: string): { activeAt?: Date; inactiveAt?: Date };
}

/** A timer unit (systemd.timer(5)): works out the next moment and starts its unit then. */
export class TimerUnit {
  activeState: ActiveState = "inactive";
  nextAt: Date | undefined;
  lastTriggerAt: Date | undefined;
  #timer: Timer | undefined;
  #startedAt = new Date();

  constructor(
    public unit: LoadedUnit,
    readonly context: TimerContext,
  ) {}

  start(): void {
    if (this.activeState === "active") return;
    this.activeState = "active";
    this.#startedAt = new Date();
    this.lastTriggerAt = this.#readStamp();
    this.arm(this.#isOverdue());
  }

  stop(): void {
    this.activeState = "inactive";
    this.nextAt = undefined;
    clearTimeout(this.#timer);
  }

  /** Works out the next moment again; called when the unit it starts has changed state. */
  arm(fireNow = false): void {
    if (this.activeState !== "active") return;
    clearTimeout(this.#timer);
    this.nextAt = fireNow ? new Date() : this.#next();
    if (!this.nextAt) return;
    const waitMs = Math.max(0, this.nextAt.getTime() - Date.now());
    this.#timer = setTimeout(
      () => (waitMs > timerMsMax ? this.arm() : this.#fire()),
      Math.min(waitMs, timerMsMax),
    );
  }

  #fire(): void {
    this.lastTriggerAt = new Date();
    this.#writeStamp();
    this.context.trigger(this.unit.timer!.unit);
    this.arm();
  }

  #next(): Date | undefined {
    const settings = this.unit.timer!;
    const { activeAt, inactiveAt } = this.context.activity(settings.unit);
    const relative = [
      ...settings.onActiveMs.map((ms) => after(this.#startedAt, ms)),
      ...settings.onBootMs.map((ms) => after(this.context.bootedAt, ms)),
      ...settings.onUnitActiveMs.map((ms) => after(activeAt ?? this.lastTriggerAt, ms)),
      ...settings.onUnitInactiveMs.map((ms) => after(inactiveAt, ms)),
    ].filter((moment) => moment !== undefined);
    const due = relative.filter((moment) => !this.lastTriggerAt || moment > this.lastTriggerAt);
    // From when it last fired, so that a calendar that is new (daemon-reload) makes up for a moment it has missed.
    const since = this.lastTriggerAt ?? this.#startedAt;
    const calendar = settings.calendars
      .map((entry) => nextElapse(entry, since))
      .filter((moment) => moment !== undefined);
    return [...due, ...calendar].sort((left, right) => left.getTime() - right.getTime())[0];
  }

  /** Persistent=: a calendar moment passed while the timer was off. */
  #isOverdue(): boolean {
    const settings = this.unit.timer!;
    if (!settings.persistent || settings.calendars.length === 0) return false;
    const last = this.lastTriggerAt;
    if (!last) {
      this.#writeStamp();
      return false;
    }
    return settings.calendars.some(
      (entry) => (nextElapse(entry, last)?.getTime() ?? Number.POSITIVE_INFINITY) <= Date.now(),
    );
  }

  #readStamp(): Date | undefined {
    const path = this.context.stampPath;
    if (!this.unit.timer!.persistent || !existsSync(path)) return undefined;
    return new Date(readFileSync(path, "utf8"));
  }

  #writeStamp(): void {
    if (!this.unit.timer!.persistent) return;
    mkdirSync(dirname(this.context.stampPath), { recursive: true });
    writeFileSync(this.context.stampPath, new Date().toISOString());
  }
}

function after(base: Date | undefined, ms: number): Date | undefined {
  return base && Number.isFinite(ms) ? new Date(base.getTime() + ms) : undefined;
}
