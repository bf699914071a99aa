/**
 * Makes what terraform/stack reads from `dist/` of a checkout: the functions' archives and, where the environment's variables
 * name it, AWS's CA bundle: `bun scripts/terraform-files.ts --env dev [--root proposal]`. Only this checkout's programs run.
 */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RoundtripError } from "../core/errors.ts";
import { type Command, runCommand } from "./roundtrip/command.ts";
import { environmentNameOf } from "./roundtrip/named-environment.ts";

const root = join(import.meta.dirname, "..");
const bundleName = "global-bundle.pem";
const bundleAddress = `https://truststore.pki.rds.amazonaws.com/global/${bundleName}`;
const secondsMax = 60;
/** The whole bundle has about 170 kB. */
const bundleBytesMax = 4 * 1024 * 1024;

const command: Command = {
  name: "terraform-files",
  summary:
    "Makes what terraform/stack reads from dist/: the functions' archives, and AWS's CA bundle where it is named.",
  usage: "bun scripts/terraform-files.ts --env ENV [--root DIR]",
  options: { env: { type: "string" }, root: { type: "string", default: root } },
  optionHelp: [
    ["--env ENV", "dev, qa or prod: its variables say whether the CA bundle is needed"],
    ["--root DIR", "the checkout whose Terraform is run; this one"],
  ],
  examples: [
    "bun scripts/terraform-files.ts --env prod",
    "ROUNDTRIP_CA_BUNDLE=/etc/ssl/rds.pem bun scripts/terraform-files.ts --env dev --root proposal",
  ],
  run: async ({ env, root: checkout }) => {
    const name = environmentNameOf(env);
    const folder = resolve(String(checkout), "dist");
    const variables = join(String(checkout), `terraform/environments/${name}.tfvars`);
    await mkdir(folder, { recursive: true });
    const ca: string[] = [];
    if ((await readFile(variables, "utf8").catch(() => "")).includes(bundleName)) {
      const file = join(folder, bundleName);
      await writeFile(`${file}.partial`, await bundle(process.env));
      await rename(`${file}.partial`, file);
      ca.push("--ca", file);
    }
    return build("create-user-db", folder, ca) || build("notify", folder);
  },
};

/** Gives the exit code. */
function build(name: string, folder: string, options: readonly string[] = []): number {
  const words = [
    join(root, `scripts/build-${name}.ts`),
    "--outfile",
    join(folder, `${name}.zip`),
    ...options,
  ];
  return spawnSync(process.execPath, words, { stdio: "inherit" }).status ?? 1;
}

/** From the file ROUNDTRIP_CA_BUNDLE names, else from AWS, whose own certificate is checked by the system's roots. */
async function bundle({
  ROUNDTRIP_CA_BUNDLE: file,
}: Readonly<Record<string, string | undefined>>): Promise<string> {
  const from = file ?? bundleAddress;
  let text: string;
  try {
    text = file ? await readFile(file, "utf8") : await download();
  } catch (cause) {
    throw notGot(from, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----") && text.length <= bundleBytesMax) return text;
  throw notGot(from, `${text.length} characters without a certificate, or too many`);
}

async function download(): Promise<string> {
  const reply = await fetch(bundleAddress, { signal: AbortSignal.timeout(secondsMax * 1000) });
  if (!reply.ok) throw new Error(`status ${reply.status}`);
  return await reply.text();
}

function notGot(from: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "unavailable",
      what: "get the CA bundle of Amazon DocumentDB",
      expected: `PEM certificates from ${from}`,
      got,
      wayOut: `run this again, or name a copy of ${bundleAddress} by ROUNDTRIP_CA_BUNDLE`,
    },
    { cause },
  );
}

process.exit(await runCommand(command, process.argv.slice(2)));
