/** Operations on change streams and cursors. */
import type { AbstractCursor, ChangeStream, Document } from "mongodb";
import type { Table } from "./table.ts";

type Iterable = ChangeStream | AbstractCursor;

/** The driver opens a cursor with its first read; cases want it open at once. The method is kept for such runners. */
export async function started<Cursor extends Iterable>(iterable: Cursor): Promise<Cursor> {
  const cursor = "cursor" in iterable ? (iterable as ChangeStream & { cursor: unknown }).cursor : iterable;
  await (cursor as { cursorInit(): Promise<void> }).cursorInit();
  return iterable;
}

export const cursorOperations: Table<Iterable> = {
  iterateUntilDocumentOrError: async (iterable): Promise<Document> => {
    const document = await iterable.next();
    if (document === null)
      throw new Error("iterateUntilDocumentOrError: expected a document, got the cursor's end");
    return document;
  },
  iterateOnce: (iterable) => iterable.tryNext(),
  close: (iterable) => iterable.close(),
};
