import { spawn } from "node:child_process";
import { join } from "node:path";
import { exitCodes, RoundtripError } from "../../core/errors.ts";

const root = join(import.meta.dirname, "../..");
const minutesMax = 30;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `roundtrip …` as its own process, as Actions or a laptop would. `started` gets its pid, so that a fault can
 * kill it; each line it writes to stderr is shown as it comes.
 */
function roundtrip(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  options: { say?: (line: string) => void; started?: (pid: number) => void } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "scripts/drill/leashed.ts"), ...args], {
      cwd: root,
      env: { ...process.env, ...variables, AWS_SDK_UA_APP_ID: args[1] ?? args[0] ?? "roundtrip" },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: minutesMax * 60_000,
    });
    if (child.pid) options.started?.(child.pid);
    let stdout = "";
    let stderr = "";
    let line = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
      const lines = (line + chunk).split("\n");
      line = lines.pop() ?? "";
      for (const whole of lines) options.say?.(whole);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 137, stdout, stderr }));
  });
}

/** Runs a runbook and fails, with its own kind, when it does not succeed. */
export async function runbook(
  name: string,
  inputs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  options: {
    say?: (line: string) => void;
    started?: (pid: number) => void;
    environment: string;
    tasks: string;
    leaseSeconds: number;
  },
): Promise<void> {
  const words = Object.entries(inputs).flatMap(([input, value]) => ["--input", `${input}=${value}`]);
  const args = [
    "runbook",
    name,
    "--env",
    options.environment,
    "--tasks",
    options.tasks,
    "--lease-seconds",
    String(options.leaseSeconds),
    ...words,
  ];
  const ran = await roundtrip(args, variables, options);
  if (ran.code === 0) return;
  const kind = Object.entries(exitCodes).find(([, code]) => code === ran.code)?.[0] ?? "internal";
  throw new RoundtripError({
    kind: (kind === "ok" ? "internal" : kind) as Exclude<keyof typeof exitCodes, "ok">,
    what: `runbook ${name}`,
    expected: "exit code 0",
    got: `exit code ${ran.code}: ${lastWords(ran.stderr)}`,
    wayOut: "read what the runbook said above; `--keep` leaves everything up to look at",
  });
}

function lastWords(stderr: string): string {
  const marked = stderr.split("\n").filter((line) => line.includes("✗"));
  return (marked.at(-1) ?? stderr.trim().split("\n").at(-1) ?? "no message").trim().slice(0, 1200);
}
