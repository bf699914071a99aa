import { type LoggerOptions, pino } from "pino";
import type { Logger } from "../../core/ports.ts";

/** Fields that could hold a secret; they are logged as [hidden] whatever put them there. */
const hidden = ["password", "pwd", "uri", "secretValue", "credentials"];
const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** JSON lines, on stdout unless told otherwise. ROUNDTRIP_LOG_LEVEL sets the least level; an unknown one means `info`. */
export function createLogger(
  service: string,
  run: string,
  level: string | undefined,
  output: "stdout" | "stderr" = "stdout",
): Logger {
  const options: LoggerOptions = {
    level: level && levels.includes(level) ? level : "info",
    base: { service, run },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: [...hidden, ...hidden.map((field) => `*.${field}`)], censor: "[hidden]" },
  };
  return output === "stdout" ? pino(options) : pino(options, pino.destination({ fd: 2, sync: true }));
}
