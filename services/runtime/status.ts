import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Notifier } from "../../adapters/systemd/notify.ts";
import type { RoundtripError } from "../../core/errors.ts";
import type { ServiceState, ServiceStatus } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Clock, Logger, ObjectStore } from "../../core/ports.ts";

export interface StatusUpdate {
  readonly state?: ServiceState;
  readonly progress?: ServiceStatus["progress"];
  /** Merged into the numbers reported so far. */
  readonly detail?: ServiceStatus["detail"];
}

export interface StatusOptions {
  readonly service: string;
  readonly host: string;
  readonly run: string;
  readonly stateDirectory: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notifier: Notifier;
  /** Between two writes of the same state; default 2,000. */
  readonly intervalMs?: number;
}

const defaultIntervalMs = 2000;
const lastWriteMsMax = 5000;

/**
 * Keeps `status/<service>.json` in the bucket and on the host up to date. Writes happen beside the work, one at a
 * time, the newest wins; one that fails is logged and never stops the work.
 */
export class StatusReporter {
  private status: ServiceStatus;
  /** Where in the bucket; nowhere until it is bound. */
  private key: string | undefined;
  private writing: Promise<void> | undefined;
  private dirty = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastWriteMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: StatusOptions) {
    const now = options.clock.now().toISOString();
    this.status = {
      version: 1,
      service: options.service,
      failbackId: "",
      state: "starting",
      updatedAt: now,
      startedAt: now,
      host: options.host,
      run: options.run,
    };
  }

  get current(): ServiceStatus {
    return this.status;
  }

  /** From now on the status is written below this failback's prefix, too. */
  bind(failbackId: string): void {
    if (this.status.failbackId === failbackId) return;
    this.status = { ...this.status, failbackId };
    this.bindTo(keysOf(failbackId).status(this.options.service));
  }

  /** From now on the status is written to this object, too: of a service that belongs to no failback. */
  bindTo(key: string): void {
    this.key = key;
    this.schedule(true);
  }

  /** Takes what changed, pings the watchdog, and writes at once when the state is another one. */
  update(update: StatusUpdate): void {
    const changed = update.state !== undefined && update.state !== this.status.state;
    this.status = {
      ...this.status,
      ...(update.state ? { state: update.state } : {}),
      ...(update.progress ? { progress: update.progress } : {}),
      detail: { ...this.status.detail, ...update.detail },
      updatedAt: this.options.clock.now().toISOString(),
    };
    this.options.notifier.alive();
    if (changed) this.options.notifier.status(this.status.state);
    this.schedule(changed);
  }

  /** The last word of this run. Waits for its write, at most five seconds. */
  async end(state: ServiceState, exitCode: number, error?: RoundtripError): Promise<void> {
    this.status = {
      ...this.status,
      state,
      exitCode,
      updatedAt: this.options.clock.now().toISOString(),
      ...(error
        ? { error: { what: error.what, expected: error.expected, got: error.got, wayOut: error.wayOut } }
        : {}),
    };
    this.schedule(true);
    await Promise.race([this.settled(), Bun.sleep(lastWriteMsMax)]);
  }

  /** Resolves when everything reported so far was written or its write failed. */
  private async settled(): Promise<void> {
    while (this.writing) await this.writing;
  }

  private schedule(now: boolean): void {
    this.dirty = true;
    if (this.writing) return;
    const dueMs = this.lastWriteMs + (this.options.intervalMs ?? defaultIntervalMs);
    const waitMs = now ? 0 : dueMs - this.options.clock.monotonicMs();
    if (waitMs <= 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.writing = this.write();
    } else if (!this.timer) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        if (!this.writing && this.dirty) this.writing = this.write();
      }, waitMs);
      this.timer.unref?.();
    }
  }

  private async write(): Promise<void> {
    while (this.dirty) {
      this.dirty = false;
      this.lastWriteMs = this.options.clock.monotonicMs();
      const { state } = this.status;
      const text = `${JSON.stringify(this.status, null, 2)}\n`;
      await Promise.all([this.toHost(text), this.toBucket(text)]);
      // Another update of the same state waits its turn; a new state goes out at once.
      if (this.status.state === state && this.status.exitCode === undefined) break;
    }
    this.writing = undefined;
    if (this.dirty) this.schedule(false);
  }

  private async toHost(text: string): Promise<void> {
    const folder = join(this.options.stateDirectory, "status");
    const path = join(folder, `${this.options.service}.json`);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    } catch (error) {
      this.options.logger.warn({ path, error: String(error) }, "status was not written to the host");
    }
  }

  private async toBucket(text: string): Promise<void> {
    const { key } = this;
    if (!key) return;
    try {
      await this.options.store.put(key, new TextEncoder().encode(text), { contentType: "application/json" });
    } catch (error) {
      this.options.logger.warn({ key, error: String(error) }, "status was not written to the bucket");
    }
  }
}
