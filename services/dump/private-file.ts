import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a text that only this user can read, from its first byte on, for as long as `use` runs; a file a killed run
 * left is replaced, not written into.
 */
export async function withPrivateFile<T>(path: string, text: string, use: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return await use();
  } finally {
    await rm(path, { force: true });
  }
}
