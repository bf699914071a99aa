/**
 * Terraform's providers, started once for all commands of a world instead of some ten times by each: half of what such a command
 * costs. A command in which they are to be killed has its own.
 */
import { join } from "node:path";
import { type ProviderName, readSchemas } from "../../sandbox/terraform-provider/provider.ts";

const program = join(import.meta.dirname, "../../sandbox/terraform-provider/main.ts");
const names: readonly ProviderName[] = ["aws", "random"];
/** By which go-plugin tells that Terraform started it. */
const cookie = {
  TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

export class Providers implements AsyncDisposable {
  private constructor(
    private readonly children: readonly Bun.Subprocess<"ignore", "pipe", "inherit">[],
    /** TF_REATTACH_PROVIDERS. */
    readonly variable: string,
  ) {}

  /** @param cwd the root module's folder, where Terraform starts them, too */
  static async start(cwd: string, environment: Readonly<Record<string, string>>): Promise<Providers> {
    const children = names.map((name) =>
      Bun.spawn([process.execPath, program, name], {
        cwd,
        env: { ...process.env, ...environment, ...cookie },
        stdin: "ignore",
        stdout: "pipe",
      }),
    );
    const entries = await Promise.all(
      children.map(async (child, index) => {
        const address = await addressOf(child.stdout);
        const entry = {
          ...{ Protocol: "grpc", ProtocolVersion: 6, Pid: child.pid, Test: true },
          Addr: { Network: "tcp", String: address },
        };
        return [readSchemas(names[index]!).address, entry] as const;
      }),
    );
    return new Providers(children, JSON.stringify(Object.fromEntries(entries)));
  }

  get pids(): number[] {
    return this.children.map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) child.kill();
    await Promise.all(this.children.map(({ exited }) => exited));
  }
}

/** go-plugin's first line: core version, protocol, network, address, and how it is spoken. */
async function addressOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let line = "";
  for await (const chunk of stdout) {
    line += new TextDecoder().decode(chunk);
    if (line.includes("\n")) break;
  }
  const address = line.split("|")[3];
  if (!address) throw new Error(`a provider said ${JSON.stringify(line)} instead of its address`);
  return address;
}
