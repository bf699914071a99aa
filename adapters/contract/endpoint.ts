import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestAws, withVariables } from "../../sandbox/aws/test-server.ts";

/** An AWS endpoint that a contract suite runs against; the AWS variables lead to it until it is disposed. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string;
}

/** Where a suite runs. `differences`: scenarios the endpoint gets wrong, each with its reason; they are expected to fail there. */
export interface ContractSubject {
  readonly name: string;
  readonly open: () => Promise<Endpoint>;
  /** Why the whole suite can't run here, or undefined. */
  readonly missing?: string;
  readonly differences?: Readonly<Record<string, string>>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("expected a TCP address");
  return address.port;
}

function motoExecutable(): string | undefined {
  const local = join(import.meta.dirname, "../../.tools/python/bin/moto_server");
  return existsSync(local) ? local : (Bun.which("moto_server") ?? undefined);
}

async function untilAnswering(url: string, process: Bun.Subprocess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (process.exitCode !== null) throw new Error(`moto_server ended with code ${process.exitCode}`);
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return;
    await Bun.sleep(50);
  }
  throw new Error("expected moto_server to answer within 30 s");
}

async function startMoto(): Promise<Endpoint> {
  const executable = motoExecutable();
  if (executable === undefined) throw new Error(motoMissing);
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "moto-"));
  const server = Bun.spawn([executable, "-H", "127.0.0.1", "-p", String(port)], {
    cwd: dir,
    stdout: "ignore",
    stderr: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  const variables = withVariables({
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "testing",
    AWS_SECRET_ACCESS_KEY: "testing",
    AWS_EC2_METADATA_DISABLED: "true",
  });
  const stop = async () => {
    variables[Symbol.dispose]();
    server.kill("SIGKILL");
    await server.exited;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await untilAnswering(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

const motoMissing =
  "moto_server is neither in .tools/python/bin nor on PATH (pip install 'moto[server]==5.2.5')";

export const standIn: ContractSubject = { name: "the stand-in", open: startTestAws };

/** moto, an independent implementation. Missing is a skip with the reason, or a failure with REQUIRE_ALL=1. */
export function moto(differences: Readonly<Record<string, string>> = {}): ContractSubject {
  const missing = motoExecutable() === undefined && process.env.REQUIRE_ALL !== "1" ? motoMissing : undefined;
  return { name: "moto", open: startMoto, missing, differences };
}
