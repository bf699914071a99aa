/** insert: documents stay bytes from the socket to the store. */
import { namespace, need } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { prepareInsert } from "./prepare-document.ts";
import { checkValidator } from "./validation.ts";
import { batchReply, checkWriteTarget, runBatch, type Statement, targetCollection } from "./write-batch.ts";

function run(context: CommandContext): Reply {
  const documents = context.batches.get("documents");
  if (!documents)
    throw new ServerError(40414, "BSON field 'insert.documents' is missing but a required field");
  const { ns, storage } = context;
  checkWriteTarget(context, ns);
  const bypass = context.boolean("bypassDocumentValidation") ?? false;
  const insertOne: Statement = (unit, index, retry) => {
    const { key, document } = prepareInsert(documents[index]!, storage.clock);
    const collection = targetCollection(context, unit, ns);
    if (!bypass) checkValidator(collection, document);
    unit.insert(collection, key, document, retry());
    return { n: 1 };
  };
  const outcome = runBatch(context, documents.length, insertOne, (index) => documents[index]!.length);
  context.server.counters.insert += outcome.n;
  return batchReply(outcome, false);
}

export const insertCommand: Command = {
  name: "insert",
  fields: ["documents", "ordered", "bypassDocumentValidation", "encryptionInformation", "rawData"],
  role: "write",
  raw: ["documents"],
  txn: true,
  needs(context) {
    const actions = ["insert"];
    if (context.body.get("bypassDocumentValidation") === true) actions.push("bypassDocumentValidation");
    return [need(namespace(context.database, context.collectionName()), ...actions)];
  },
  run,
};
