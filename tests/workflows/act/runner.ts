import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** Stand-ins of actions and of npm, told where things are. The PATH has no bun and no terraform: workflows have to get them. */
export function writeRunner(
  folder: string,
  aws: string,
  origin: string,
  terraform: Readonly<Record<string, string>>,
): void {
  const {
    AWS_ENDPOINT_URL: _aws,
    AWS_ACCESS_KEY_ID: _key,
    AWS_SECRET_ACCESS_KEY: _secret,
    ...variables
  } = terraform;
  const [terraformFolder, bin, standIns] = ["terraform", "bin", "actions"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  for (const made of [terraformFolder, bin, join(folder, "home")]) mkdirSync(made, { recursive: true });
  cpSync(join(import.meta.dirname, "stand-ins"), standIns, { recursive: true });
  cpSync(join(standIns, "npm"), join(bin, "npm"));
  chmodSync(join(bin, "npm"), 0o755);
  const places = {
    ORIGIN: origin,
    AWS: aws,
    TERRAFORM_FOLDER: terraformFolder,
    PACKAGES: root,
    NODE_FOLDER: dirname(Bun.which("node") ?? "/usr/bin/node"),
    NPM: Bun.which("npm") ?? "npm",
    REAL_NPM_CI: join(folder, "real-npm-ci"),
  };
  const text = lines(places);
  for (const place of [
    bin,
    ...readdirSync(standIns)
      .filter((name) => name !== "npm")
      .map((name) => join(standIns, name)),
  ])
    writeFileSync(join(place, "sandbox.env"), text);
  writeFileSync(join(standIns, "setup-terraform/terraform.env"), lines(variables));
  for (const [program, at] of [
    ["terraform", terraformFolder],
    ["node", bin],
    ["git", bin],
  ] as const) {
    const found = Bun.which(program);
    if (found && !existsSync(join(at, program))) symlinkSync(found, join(at, program));
  }
}

function lines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
