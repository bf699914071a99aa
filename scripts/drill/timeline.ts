/** The drill's steps as they happen: one line each on stderr, and their times for the report. */
export class Timeline {
  readonly steps: { name: string; from: number; to: number }[] = [];
  private readonly origin = performance.now();

  constructor(
    private readonly write: (text: string) => void,
    private readonly colour: boolean,
  ) {}

  /** Seconds since the drill began. */
  now(): number {
    return (performance.now() - this.origin) / 1000;
  }

  say(text: string): void {
    this.write(`${this.dim(`${this.now().toFixed(1).padStart(6)} s`)}   ${text}\n`);
  }

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = this.now();
    this.write(`${this.dim(`${from.toFixed(1).padStart(6)} s`)} ${this.bold(`▸ ${name}`)}\n`);
    try {
      const result = await work();
      this.write(
        `${this.dim(`${this.now().toFixed(1).padStart(6)} s`)}   ✓ ${(this.now() - from).toFixed(1)} s\n`,
      );
      return result;
    } finally {
      this.steps.push({ name, from, to: this.now() });
    }
  }

  private dim(text: string): string {
    return this.colour ? `\u001b[2m${text}\u001b[0m` : text;
  }

  private bold(text: string): string {
    return this.colour ? `\u001b[1m${text}\u001b[0m` : text;
  }
}
