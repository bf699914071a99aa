import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { AcceptedDifferences, Catalog } from "../../core/failback/documents.ts";
import { type CatalogDifference, compareCatalogs } from "../../core/verdict/catalogs.ts";
import { scopeDatabases } from "../access/survey.ts";
import type { Ground } from "./preconditions.ts";
import type { Restore } from "./restore.ts";

/** What a person has looked at and lets stand, by its text. */
export async function readAccepted({ service, failback }: Restore): Promise<ReadonlySet<string>> {
  const found = await readJson<AcceptedDifferences>(service.store, failback.keys.accepted);
  return new Set(found?.value.accepted.map(({ what }) => what));
}

/** Both catalogs as they are now are kept beside the one taken at the start. */
export async function catalogDifferences(
  { service, failback, mongodb, documentdb }: Restore,
  { recorded }: Ground,
  accepted: ReadonlySet<string>,
): Promise<CatalogDifference[]> {
  const { store, clock } = service;
  const names = scopeDatabases(failback.scope);
  const read = (server: Restore["mongodb"]) =>
    readCatalog(server.client, names, clock.now()).catch((error) => {
      throw server.failure(error, "read the catalog");
    });
  const now = { documentdb: await read(documentdb), mongodb: await read(mongodb) };
  await writeJson(store, failback.keys.catalog("documentdb-fence"), now.documentdb);
  await writeJson(store, failback.keys.catalog("mongodb-restored"), now.mongodb);
  const start = (await readJson<Catalog>(store, failback.keys.catalog("documentdb-start")))?.value;
  const before = start && recorded && { documentdb: start, mongodb: recorded.catalog };
  return compareCatalogs({ ...now, ...(before && { before }), accepted }, failback.scope);
}
