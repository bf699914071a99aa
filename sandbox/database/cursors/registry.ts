/** Open cursors by number. */
import { randomBytes } from "node:crypto";
import { ServerError } from "../engine/errors.ts";
import type { Cursor } from "./cursor.ts";

const MAX_OPEN = 50_000;

export class CursorRegistry {
  private readonly open = new Map<bigint, Cursor>();
  timeoutMs = 600_000;

  get size(): number {
    return this.open.size;
  }

  all(): IterableIterator<Cursor> {
    return this.open.values();
  }

  /** Keeps a cursor for later getMores and gives its number. */
  keep(cursor: Cursor): bigint {
    if (this.open.size >= MAX_OPEN)
      throw new ServerError("ExceededMemoryLimit", `more than ${MAX_OPEN} open cursors`);
    let id = 0n;
    do id = randomBytes(8).readBigInt64LE() & 0x7fffffffffffffffn;
    while (id === 0n || this.open.has(id));
    cursor.id = id;
    this.open.set(id, cursor);
    return id;
  }

  find(id: bigint): Cursor | undefined {
    return this.open.get(id);
  }

  /** @throws ServerError CursorNotFound */
  get(id: bigint): Cursor {
    const cursor = this.open.get(id);
    if (!cursor) throw new ServerError("CursorNotFound", `cursor id ${id} not found`);
    return cursor;
  }

  drop(cursor: Cursor): void {
    this.open.delete(cursor.id);
    cursor.close();
  }

  /** Ends every cursor `chosen` picks; a getMore waiting on one gets `reason`. */
  killWhere(chosen: (cursor: Cursor) => boolean, reason: ServerError): void {
    for (const cursor of [...this.open.values()]) {
      if (!chosen(cursor)) continue;
      cursor.killed = reason;
      this.drop(cursor);
    }
  }

  expire(): void {
    const limit = Date.now() - this.timeoutMs;
    for (const cursor of [...this.open.values()]) {
      if (!cursor.noTimeout && !cursor.pinned && cursor.lastUse < limit) this.drop(cursor);
    }
  }
}
