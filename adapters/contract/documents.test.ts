import { documentsContract } from "./documents.contract.ts";
import { moto, standIn } from "./endpoint.ts";

documentsContract(standIn);
documentsContract(
  moto({
    "a version that isn't there is InvalidDocumentVersion": "moto answers InvalidDocument",
    "content that is no document is refused": "moto takes actions that don't exist",
    "own documents are listed by the beginning of their name":
      "moto takes the Name filter for the whole name",
  }),
);
