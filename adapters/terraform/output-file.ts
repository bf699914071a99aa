import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

const chunkBytes = 64 * 1024;

/** What a program writes to a file, read line by line while it writes. Unlike a pipe, it takes writes when nobody reads. */
export class OutputFile {
  /** To hand to the program. */
  readonly descriptor: number;
  private readonly reading: number;
  private readonly decoder = new StringDecoder("utf8");
  private readonly chunk = Buffer.alloc(chunkBytes);
  private rest = "";

  /** @param path a new file, readable by this user only */
  constructor(
    private readonly path: string,
    private readonly onLine: (line: string) => void,
  ) {
    rmSync(path, { force: true });
    this.descriptor = openSync(path, "wx", 0o600);
    this.reading = openSync(path, "r");
  }

  /** Hands on the whole lines that came since the last time. */
  read(): void {
    for (;;) {
      const length = readSync(this.reading, this.chunk, 0, chunkBytes, null);
      if (length === 0) return;
      const lines = (this.rest + this.decoder.write(this.chunk.subarray(0, length))).split("\n");
      this.rest = lines.pop() ?? "";
      for (const line of lines) this.onLine(line);
    }
  }

  /** Hands on a last line without its end, and removes the file. */
  close(): void {
    if (this.rest) this.onLine(this.rest);
    this.rest = "";
    for (const descriptor of [this.descriptor, this.reading]) closeSync(descriptor);
    rmSync(this.path, { force: true });
  }
}
