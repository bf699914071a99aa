/** Turns the arguments of an operation, as the cases write them, into what the driver takes. */
import { ClientSession, type Document, ReadPreference, type ReadPreferenceMode } from "mongodb";
import type { Entities } from "./entities.ts";

function readPreferenceOf({ mode, tagSets, maxStalenessSeconds, hedge }: Document): ReadPreference {
  // The cases write modes with a small or a capital first letter.
  const name = `${mode[0].toLowerCase()}${mode.slice(1)}` as ReadPreferenceMode;
  return new ReadPreference(name, tagSets, { maxStalenessSeconds, hedge });
}

/** Names of sessions become sessions, read preferences objects; nested transaction options too. */
export function driverOptions(given: Document | undefined, entities: Entities): Document {
  const options: Document = { ...given };
  if (typeof options.session === "string") options.session = entities.of(options.session, ClientSession);
  if (options.readPreference) options.readPreference = readPreferenceOf(options.readPreference);
  if (options.defaultTransactionOptions)
    options.defaultTransactionOptions = driverOptions(options.defaultTransactionOptions, entities);
  if (typeof options.returnDocument === "string")
    options.returnDocument = options.returnDocument.toLowerCase();
  return options;
}
