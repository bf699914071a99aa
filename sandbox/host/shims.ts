import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "./machine.ts";

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Puts `systemctl` and `journalctl` of this machine into its /usr/local/bin, and links to them into /usr/bin. */
export function writeShims(machine: Machine, hostFile: string): void {
  const bun = quote(process.execPath);
  const script = (name: string): string => quote(join(import.meta.dirname, name));
  const commands = {
    systemctl: `exec ${bun} ${script("systemctl/main.ts")} ${quote(hostFile)} "$@"`,
    journalctl: `exec ${bun} ${script("journalctl.ts")} --directory ${quote(machine.at("var/log/journal"))} "$@"`,
  };
  for (const [name, line] of Object.entries(commands)) {
    const path = machine.at("usr/local/bin", name);
    writeFileSync(path, `#!/bin/sh\n${line}\n`);
    chmodSync(path, 0o755);
    const link = machine.at("usr/bin", name);
    rmSync(link, { force: true });
    symlinkSync(path, link);
  }
}
