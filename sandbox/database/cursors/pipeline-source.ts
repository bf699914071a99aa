/** Results of a pipeline as a source for a cursor. */
import { encode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { maxInternalDocumentBytes } from "../engine/raw.ts";
import type { Document } from "../engine/value.ts";
import type { DocumentSource } from "./cursor.ts";

export class PipelineSource implements DocumentSource {
  private readonly documents: Iterator<Document>;
  private finished = false;

  constructor(documents: Iterable<Document>) {
    this.documents = documents[Symbol.iterator]();
  }

  get exhausted(): boolean {
    return this.finished;
  }

  next(): Uint8Array | undefined {
    if (this.finished) return undefined;
    const { done, value } = this.documents.next();
    if (done) {
      this.finished = true;
      return undefined;
    }
    const bytes = encode(value);
    if (bytes.length > maxInternalDocumentBytes) {
      throw new ServerError(
        "BSONObjectTooLarge",
        `BSONObj size: ${bytes.length} (0x${bytes.length.toString(16).toUpperCase()}) is invalid. Size must be between 0 and ${maxInternalDocumentBytes}(16MB)`,
      );
    }
    return bytes;
  }

  close(): void {
    this.finished = true;
    this.documents.return?.();
  }
}
