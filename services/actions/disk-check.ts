import { statfs } from "node:fs/promises";
import type { Check } from "../../core/failback/documents.ts";
import { check } from "./action.ts";

/** Dumps go straight to the bucket: the disk holds status files, the token and what the tools log. */
const freeBytesMin = 512 * 1024 * 1024;

/** Room on the host's disk, where `directory` lies. */
export async function diskCheck(directory: string): Promise<Check> {
  const { bavail, bsize } = await statfs(directory).catch(() => statfs("/"));
  const free = bavail * bsize;
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
  return check("disk of the host", free >= freeBytesMin, {
    expected: `${megabytes(freeBytesMin)} free; dumps go to the bucket, not to the disk`,
    got: `${megabytes(free)} free`,
    wayOut: "free space on the host's volume",
  });
}
