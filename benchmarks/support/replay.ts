import { join } from "node:path";

/** The replay server as a process of its own: what it costs is not the client's. */
export class ReplayServer implements AsyncDisposable {
  private constructor(
    private readonly child: Bun.Subprocess<"pipe", "pipe", "inherit">,
    readonly uri: string,
  ) {}

  static async start(events: number): Promise<ReplayServer> {
    const script = join(import.meta.dir, "replay-server.ts");
    const child = Bun.spawn([process.execPath, script, "--events", String(events)], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await child.stdout.getReader().read();
    const uri = new TextDecoder().decode(value).trim();
    if (!uri.startsWith("mongodb://")) throw new Error(`replay server: expected its address, got ${uri}`);
    return new ReplayServer(child, uri);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.exited;
  }
}
