import { spawn } from "node:child_process";
import { RoundtripError } from "../../core/errors.ts";
import type { Units } from "../../core/ports.ts";

const unitName = /^[A-Za-z0-9@._-]+\.(service|timer)$/;
const outputCharactersMax = 4000;

/** Units of this host through `systemctl`, which is found on PATH. Fails `unavailable` with what systemctl said. */
export const systemdUnits: Units = {
  enable: async (unit) => void (await systemctl(["enable", "--quiet", checked(unit)])),
  /** Asks systemd to start the unit and doesn't wait for a oneshot to end. */
  async start(unit) {
    // A unit that reached its start limit refuses until it is reset; one that never failed has nothing to reset.
    await systemctl(["reset-failed", checked(unit)]).catch(() => {});
    await systemctl(["--no-block", "start", unit]);
  },
  stop: async (unit) => void (await systemctl(["stop", checked(unit)])),
  async state(unit) {
    const properties = "ActiveState,SubState,Result,MainPID,ExecMainStatus";
    const shown = await systemctl(["show", `--property=${properties}`, checked(unit)]);
    const fields = new Map(shown.split("\n").map((line) => splitOnce(line, "=")));
    return {
      active: fields.get("ActiveState") ?? "unknown",
      sub: fields.get("SubState") ?? "unknown",
      result: fields.get("Result") ?? "unknown",
      mainPid: Number(fields.get("MainPID") ?? 0),
      exitStatus: Number(fields.get("ExecMainStatus") ?? 0),
    };
  },
};

function checked(unit: string): string {
  if (unitName.test(unit)) return unit;
  throw new RoundtripError({
    kind: "usage",
    what: "name a systemd unit",
    expected: "letters, digits, @ . _ - and the ending .service or .timer",
    got: unit,
    wayOut: "use the name of one of Roundtrip's units",
  });
}

/** Runs `systemctl`, which is found on PATH, and gives its stdout; times are UTC. Fails `unavailable`. */
export function systemctl(parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TZ: "UTC" };
    const child = spawn("systemctl", parameters, { stdio: ["ignore", "pipe", "pipe"], env });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout = (stdout + chunk).slice(-outputCharactersMax)));
    child.stderr.on("data", (chunk) => (stderr = (stderr + chunk).slice(-outputCharactersMax)));
    child.on("error", (cause) => reject(failure(parameters, "systemctl did not start", cause)));
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(failure(parameters, `exit code ${code}: ${stderr.trim() || stdout.trim()}`));
    });
  });
}

function failure(parameters: readonly string[], got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "unavailable",
      what: `systemctl ${parameters.join(" ")}`,
      expected: "exit code 0",
      got,
      wayOut: "see `systemctl status` of the unit on the host, and that this program may manage units",
    },
    { cause },
  );
}

function splitOnce(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
