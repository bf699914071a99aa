import { spawnSync } from "node:child_process";

/** Who builds the world: Terraform's binary, or the drill itself and why. */
export type Builder = { readonly terraform: string } | { readonly whyNot: string };

/** What terraform/stack/versions.tf asks for. */
const versionMin = [1, 11] as const;

/** The Terraform on PATH, when the stack can be applied with it. */
export function terraformOnPath(): Builder {
  const terraform = Bun.which("terraform");
  if (!terraform) return { whyNot: "no terraform on PATH" };
  const asked = spawnSync(terraform, ["version", "-json"], { encoding: "utf8", timeout: 10_000 });
  const version = /"terraform_version":\s*"([^"]+)"/.exec(asked.stdout ?? "")?.[1];
  if (!version) return { whyNot: `the terraform on PATH (${terraform}) does not say its version` };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major !== versionMin[0] || minor < versionMin[1])
    return {
      whyNot: `the terraform on PATH is ${version}, the stack takes ${versionMin.join(".")} and later`,
    };
  return { terraform };
}
