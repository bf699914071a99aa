import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Every command line on this machine while it is open, as far as samples see them. */
export class CommandLineWatch implements AsyncDisposable {
  private constructor(
    private readonly file: string,
    private readonly process: Bun.Subprocess<"pipe", "pipe", "inherit">,
  ) {}

  /** Returns when it samples. */
  static async start(file: string): Promise<CommandLineWatch> {
    await Bun.write(file, "");
    const process = Bun.spawn(
      [globalThis.process.execPath, join(import.meta.dirname, "command-lines.ts"), file],
      {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const { value } = await process.stdout.getReader().read();
    if (value === undefined) throw new Error("the watch over command lines did not start");
    return new CommandLineWatch(file, process);
  }

  lines(): string[] {
    return readFileSync(this.file, "utf8").split("\n").slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.stdin.end();
    await this.process.exited;
  }
}
