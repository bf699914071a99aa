/** Starts the stand-in as a process for tests, and ends it with them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RunningDatabase extends AsyncDisposable {
  uri: string;
  ports: number[];
  pid: number;
  directory: string;
  /** Ends the process at once, as kill -9 does; the folder stays. */
  kill(): Promise<void>;
  /** Closes its standard input, as the end of the parent process does, and gives the exit code. */
  orphan(): Promise<number>;
  /** Ends it with SIGTERM and gives the exit code. */
  stop(): Promise<number>;
}

const PASSWORD = "test-password";

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return text;
}

/**
 * Starts a server on a folder of its own, or on `directory` (then it is left there at the end).
 * @param args further command line options
 */
export async function startDatabase(
  options: { directory?: string; args?: string[] } = {},
): Promise<RunningDatabase> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "sandbox-database-"));
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      join(import.meta.dir, "main.ts"),
      "--dir",
      directory,
      "--exit-with-parent",
      ...(options.args ?? []),
    ],
    env: { ...process.env, SANDBOX_ADMIN_PASSWORD: PASSWORD },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const line = await firstLine(child.stdout);
  if (line === "") throw new Error(`the stand-in didn't start: exit code ${await child.exited}`);
  const { uri, ports, pid } = JSON.parse(line) as { uri: string; ports: number[]; pid: number };
  return {
    uri,
    ports,
    pid,
    directory,
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
    async orphan() {
      await child.stdin.end();
      return child.exited;
    },
    async stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      if (!options.directory) rmSync(directory, { recursive: true, force: true });
    },
  };
}
