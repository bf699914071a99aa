import { spawn } from "node:child_process";
import { RoundtripError } from "../../core/errors.ts";

const outputCharactersMax = 200_000;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** Written to its standard input, which then ends. */
  readonly input?: string;
  /** Ends it as soon as what it has printed is enough. */
  until?(stdout: string): boolean;
  readonly seconds?: number;
}

/** Runs a program without a shell, bounded. One that is ended because it printed enough has an exit code of its own. */
export function runProgram(
  program: string,
  args: readonly string[],
  {
    seconds,
    input = "",
    until,
    environment = {},
  }: ToolOptions & { readonly seconds: number; readonly environment?: Readonly<Record<string, string>> },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-outputCharactersMax);
      if (until?.(stdout)) child.kill("SIGTERM");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-outputCharactersMax);
    });
    // A program that ends without reading all of it has said why.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (cause) =>
      reject(
        new RoundtripError(
          {
            kind: "configuration",
            what: `run ${program}`,
            expected: "a program that runs",
            got: cause.message,
            wayOut: "see /opt/roundtrip/install/status and journalctl -u roundtrip-install on the node",
          },
          { cause },
        ),
      ),
    );
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\nended by ${signal}` : stderr }),
    );
  });
}

/** The last line that says something. */
export function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "no message").slice(0, 1000);
}
