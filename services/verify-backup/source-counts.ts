import type { DumpedCollection } from "../../core/backup/documents.ts";
import type { Databases } from "../access/databases.ts";
import { isRestored } from "./restored.ts";

const namedMax = 5;

/**
 * Lines about how many documents the source has now, by its own numbers: said, not judged, because people write to it.
 * A source that can't be asked is a line, too.
 */
export async function sourceCounts(
  databases: Databases,
  dumped: readonly DumpedCollection[],
): Promise<string[]> {
  const counted = dumped.filter(isRestored).filter(({ metadata }) => !/"type":"view"/.test(metadata));
  try {
    const { client } = await databases.open("mongodb");
    const changed: string[] = [];
    let now = 0;
    for (const { database, name, documents } of counted) {
      const count = await client.db(database).collection(name).estimatedDocumentCount();
      now += count;
      if (count !== documents) changed.push(`${database}.${name} ${documents} then, ${count} now`);
    }
    const then = counted.reduce((sum, one) => sum + one.documents, 0);
    const more = changed.length > namedMax ? ` and ${changed.length - namedMax} more` : "";
    const which = changed.length > 0 ? `: ${changed.slice(0, namedMax).join(", ")}${more}` : "";
    return [`the source has ${now} documents in these collections now, the backup has ${then}${which}`];
  } catch (error) {
    return [`the source's counts are not known: ${(error as Error).message}`];
  }
}
