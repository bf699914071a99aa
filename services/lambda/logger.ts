import type { Logger } from "../../core/ports.ts";

/**
 * JSON lines on stdout, which Lambda keeps as the function's log. Not pino: a bundle of it names the folder it was
 * built in, and the archive would differ from machine to machine.
 */
export function lambdaLogger(service: string, request: string, redact: (text: string) => string): Logger {
  const write = (level: string) => (fields: object, message: string) => {
    const line = {
      level,
      time: new Date().toISOString(),
      service,
      request,
      ...fields,
      msg: message,
    };
    process.stdout.write(`${redact(JSON.stringify(line))}\n`);
  };
  return { debug: () => {}, info: write("info"), warn: write("warn"), error: write("error") };
}
