import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { join, resolve } from "node:path";
import { providerNames, readSchemas } from "../terraform-provider/provider.ts";

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Writes what Terraform needs to take the stand-in providers for the real ones, offline: a filesystem mirror and a
 * CLI configuration that admits nothing else.
 * @param dir kept as long as Terraform is to be run
 * @param awsUrl the AWS stand-in
 * @returns the environment to run `terraform` in; credentials are the caller's (`awsEnvironment`)
 */
export function startTerraform(dir: string, awsUrl: string): Record<string, string> {
  const mirror = resolve(dir, "mirror");
  const program = join(import.meta.dirname, "../terraform-provider/main.ts");
  const system = `${platform()}_${goArchitectures[arch()] ?? arch()}`;
  for (const name of providerNames) {
    const { address, version } = readSchemas(name);
    const folder = join(mirror, address, version, system);
    mkdirSync(folder, { recursive: true });
    const launcher = join(folder, `terraform-provider-${name}_v${version}`);
    writeFileSync(launcher, `#!/bin/sh\nexec "${process.execPath}" "${program}" ${name}\n`);
    chmodSync(launcher, 0o755);
  }
  const configuration = resolve(dir, "terraform.rc");
  writeFileSync(
    configuration,
    `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return {
    TF_CLI_CONFIG_FILE: configuration,
    TF_DISABLE_PLUGIN_TLS: "1",
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
    AWS_ENDPOINT_URL: awsUrl,
  };
}
