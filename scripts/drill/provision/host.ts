import { copyFile, link, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../../core/failback/documents.ts";
import type { Addresses } from "./addresses.ts";

const root = join(import.meta.dirname, "../../..");

/** What cloud-init does on a real host: the worker, its units, and the file that says where everything is. */
export async function prepareHost(at: Addresses, environment: Environment): Promise<void> {
  const bin = join(at.hostDirectory, "opt/roundtrip/bin");
  const etc = join(at.hostDirectory, "etc/roundtrip");
  const unitFolder = join(at.hostDirectory, "etc/systemd/system");
  for (const folder of [bin, etc, unitFolder]) await mkdir(folder, { recursive: true });
  const worker = join(bin, "roundtrip-worker");
  await rm(worker, { force: true });
  await link(join(root, "dist/roundtrip-worker"), worker).catch(() =>
    copyFile(join(root, "dist/roundtrip-worker"), worker),
  );
  const units = join(root, "services/units");
  for (const file of await readdir(units)) await copyFile(join(units, file), join(unitFolder, file));
  const config = join(etc, "environment.json");
  await writeFile(config, JSON.stringify(environment, null, 2));
  const variables = {
    ROUNDTRIP_CONFIG: config,
    ...at.awsVariables,
    // The units' own PATH does not lead to where a person has the tools.
    MONGODUMP: join(at.toolsFolder, "mongodump"),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(etc, "worker.env"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
