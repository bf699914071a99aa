/** Search indexes live on Atlas: a server of one's own answers these commands with an error. */
import { ServerError } from "../engine/errors.ts";
import type { Command } from "../server/context.ts";

export function searchNotEnabled(): ServerError {
  return new ServerError(
    31082,
    "Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable.",
  );
}

function refuse(): never {
  throw searchNotEnabled();
}

export const searchIndexCommands: Command[] = [
  { name: "createSearchIndexes", fields: ["indexes"], role: "write", run: refuse },
  { name: "updateSearchIndex", fields: ["name", "id", "definition"], role: "write", run: refuse },
  { name: "dropSearchIndex", fields: ["name", "id"], role: "write", run: refuse },
  { name: "listSearchIndexes", fields: ["name", "id"], role: "read", run: refuse },
];
