import { RoundtripError } from "../../core/errors.ts";
import type { Fact } from "../../core/preflight/model.ts";
import type { Server } from "../access/databases.ts";

/** Servers that don't answer are given up after this. */
export const selectionMsMax = 8000;

/** The value, or why there is none. */
export async function fact<T>(read: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "interrupted") throw error;
    if (error instanceof RoundtripError) return { unknown: `${error.what}: ${error.got}` };
    return { unknown: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** Asks a server; what the driver throws becomes the error that names it. */
export async function tell<T>(server: Server, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw server.failure(error, what);
  }
}
