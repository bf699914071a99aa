import { existsSync } from "node:fs";
import { RoundtripError } from "../../core/errors.ts";
import { run, say } from "./run.ts";

/** Program → the Debian package that has it. */
const packages: Readonly<Record<string, string>> = {
  "/usr/bin/systemd-nspawn": "systemd-container",
  "/usr/sbin/debootstrap": "debootstrap",
  "/usr/bin/chromium": "chromium",
  "/usr/bin/shellcheck": "shellcheck",
  "/usr/bin/java": "openjdk-17-jre-headless",
  "/usr/bin/mvn": "maven",
};

/** Installs what the system tests need; only where this is Debian and the user is root. */
export async function ensureDebianPackages(): Promise<void> {
  const missing = Object.entries(packages).filter(([program]) => !existsSync(program));
  if (missing.length === 0) return;
  const names = missing.map(([, name]) => name);
  say(`  installing Debian packages ${names.join(", ")} (once)`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env: environment });
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...names];
  const ran = await run("apt-get", install, { env: environment, timeoutMs: 900_000 });
  if (ran.code === 0) return;
  throw new RoundtripError({
    kind: "unavailable",
    what: `install ${names.join(", ")}`,
    expected: "apt-get to end with 0",
    got: `exit code ${ran.code}: ${ran.stderr.trim().slice(-500)}`,
    wayOut: "install the packages by hand, or run `make test` without REQUIRE_ALL=1",
  });
}
