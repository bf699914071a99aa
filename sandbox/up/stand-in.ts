import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { readLines } from "../host/lines.ts";

const readyTimeoutMs = 30_000;
const stopTimeoutMs = 30_000;

export interface StandInOptions {
  /** For messages and the log file. */
  readonly name: string;
  /** Entry file below `sandbox/`. */
  readonly script: string;
  readonly parameters: readonly string[];
  /** Where its standard error goes. */
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
}

type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

/**
 * A stand-in as a process of its own. It gets a pipe as standard input and ends by itself when that closes, so a
 * parent that is killed leaves nothing behind. `Ready` is its first line of output, parsed.
 */
export class StandIn<Ready extends object> implements AsyncDisposable {
  #child: Child;
  #ready: Ready;
  #isStopping = false;
  #onUnexpectedEnd: ((message: string) => void) | undefined;

  private constructor(
    readonly options: StandInOptions,
    child: Child,
    ready: Ready,
  ) {
    this.#child = child;
    this.#ready = ready;
    this.#watch(child);
  }

  /** Starts it and waits until it says it is ready. Throws an Error with its last words when it doesn't. */
  static async start<Ready extends object>(options: StandInOptions): Promise<StandIn<Ready>> {
    const { child, ready } = await launch<Ready>(options, []);
    return new StandIn(options, child, ready);
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get ready(): Ready {
    return this.#ready;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Called when it ends without having been asked to. */
  onUnexpectedEnd(listener: (message: string) => void): void {
    this.#onUnexpectedEnd = listener;
  }

  /** SIGKILL, as a crash would; settles when the process is gone. */
  async kill(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  /** Starts it again with the same folder; `more` are parameters for this start on. A running one is stopped first. */
  async restart(more: readonly string[] = []): Promise<Ready> {
    await this.stop();
    const { child, ready } = await launch<Ready>(this.options, more);
    this.#child = child;
    this.#ready = ready;
    this.#isStopping = false;
    this.#watch(child);
    return ready;
  }

  /** SIGTERM, and SIGKILL when that isn't enough. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.#child.exited;
    clearTimeout(timer);
  }

  #watch(child: Child): void {
    void child.exited.then(() => {
      if (this.#isStopping || child !== this.#child) return;
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      this.#onUnexpectedEnd?.(`${this.name} ended by itself (${how}); its log: ${this.options.logFile}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function launch<Ready>(
  options: StandInOptions,
  more: readonly string[],
): Promise<{ child: Child; ready: Ready }> {
  const script = join(import.meta.dirname, "..", options.script);
  mkdirSync(dirname(options.logFile), { recursive: true });
  const child = Bun.spawn([process.execPath, script, ...options.parameters, ...more, "--exit-with-parent"], {
    env: { ...process.env, ...options.environment },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lastWords: string[] = [];
  void readLines(child.stderr, (line) => {
    lastWords.push(line);
    if (lastWords.length > 20) lastWords.shift();
    appendFileSync(options.logFile, `${line}\n`);
  });
  const firstLine = Promise.withResolvers<string>();
  void readLines(child.stdout, firstLine.resolve);
  const timer = setTimeout(() => firstLine.resolve(""), readyTimeoutMs);
  const first = await Promise.race([
    firstLine.promise,
    child.exited.then(() => Bun.sleep(50)).then(() => ""),
  ]);
  clearTimeout(timer);
  if (first === "") {
    child.kill("SIGKILL");
    await child.exited;
    const how =
      child.exitCode === null ? `no word within ${readyTimeoutMs} ms` : `exit code ${child.exitCode}`;
    throw new Error(`start ${options.name}: expected a ready line, got ${how}\n${lastWords.join("\n")}`);
  }
  return { child, ready: JSON.parse(first) as Ready };
}
