import type { Document } from "mongodb";

/** Operations of one kind of entity: name → what to call with the case's arguments, sessions already resolved. */
export type Table<Target> = Readonly<Record<string, (target: Target, args: Document) => unknown>>;
