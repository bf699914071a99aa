import { createHash } from "node:crypto";
import { stringify as toYaml } from "yaml";
import { tagsOf } from "../input.ts";
import { ParameterStore } from "../parameters/store.ts";
import { AwsError, type RequestContext } from "../service.ts";
import type { DocumentStore, DocumentVersion } from "./document-store.ts";
import { filters, type Input, optionalText, page, text } from "./input.ts";

/** `arn:aws:ssm:…:document/name` and the bare name are the same document. */
export function documentName(nameOrArn: string): string {
  return nameOrArn.replace(/^arn:aws[\w-]*:ssm:[^:]*:[^:]*:document\//, "");
}

function nameOf(input: Input): string {
  return documentName(text(input, "Name"));
}

function formatOf(input: Input): "JSON" | "YAML" {
  const format = optionalText(input, "DocumentFormat") ?? "JSON";
  if (format !== "JSON" && format !== "YAML")
    throw new AwsError("ValidationException", `DocumentFormat ${format}: the stand-in takes JSON and YAML`);
  return format;
}

function identifier(document: DocumentVersion, context: RequestContext): object {
  return {
    Name: document.name,
    Owner: context.account,
    CreatedDate: new Date(document.createdAt),
    DocumentVersion: String(document.version),
    DocumentType: "Command",
    SchemaVersion: document.content.schemaVersion,
    DocumentFormat: document.format,
    PlatformTypes: ["Linux", "MacOS"],
    Tags: [],
  };
}

function describe(document: DocumentVersion, context: RequestContext): object {
  return {
    ...identifier(document, context),
    Sha1: createHash("sha1").update(document.text).digest("hex"),
    Hash: document.hash,
    HashType: "Sha256",
    Status: "Active",
    Description: document.content.description,
    Parameters: Object.entries(document.content.parameters).map(([name, parameter]) => ({
      Name: name,
      Type: parameter.type,
      Description: parameter.description,
      DefaultValue:
        typeof parameter.default === "object" ? JSON.stringify(parameter.default) : parameter.default,
    })),
    LatestVersion: String(document.latest),
    DefaultVersion: String(document.defaultVersion),
  };
}

const listed: Readonly<
  Record<string, (document: DocumentVersion, values: readonly string[], account: string) => boolean>
> = {
  Owner: (_, values, account) =>
    values.some((value) => value === "Self" || value === "All" || value === account),
  Name: (document, values) => values.some((value) => document.name.startsWith(value)),
  DocumentType: (_, values) => values.includes("Command"),
  PlatformTypes: (_, values) => values.includes("Linux"),
};

function listDocuments(store: DocumentStore, input: Input, context: RequestContext): object {
  const wanted = [...filters(input, "Filters"), ...filters(input, "DocumentFilterList")];
  const found = store.all().filter((document) =>
    wanted.every(({ key, values }) => {
      const accepts = listed[key];
      if (!accepts) throw new AwsError("InvalidFilterKey", `filter key ${key} is not known to the stand-in`);
      return accepts(document, values, context.account);
    }),
  );
  const { items, next } = page(input, found, 50);
  return { DocumentIdentifiers: items.map((document) => identifier(document, context)), NextToken: next };
}

function getDocument(store: DocumentStore, input: Input): object {
  const document = store.get(nameOf(input), optionalText(input, "DocumentVersion") ?? "$DEFAULT");
  const wanted = optionalText(input, "DocumentFormat") ?? "JSON";
  const { content } = document;
  const converted = wanted === "YAML" ? toYaml(content) : JSON.stringify(content);
  return {
    Name: document.name,
    DocumentVersion: String(document.version),
    Status: "Active",
    CreatedDate: new Date(document.createdAt),
    Content: wanted === document.format ? document.text : converted,
    DocumentType: "Command",
    DocumentFormat: wanted,
  };
}

type Act = (store: DocumentStore, input: Input, context: RequestContext) => object;

/** The document calls of SSM, over the store. */
export const documentOperations: Readonly<Record<string, Act>> = {
  CreateDocument(store, input, context) {
    const name = text(input, "Name");
    if (!/^[a-zA-Z0-9_.-]{3,128}$/.test(name) || /^(aws|amazon|amzn)/i.test(name)) {
      throw new AwsError(
        "ValidationException",
        `Name ${name}: 3 to 128 of a-z, A-Z, 0-9, _ . -, and not beginning with aws, amazon or amzn`,
      );
    }
    const type = optionalText(input, "DocumentType") ?? "Command";
    if (type !== "Command")
      throw new AwsError("ValidationException", `DocumentType ${type}: the stand-in takes Command`);
    const made = store.create(name, text(input, "Content"), formatOf(input), context.now().getTime());
    new ParameterStore(context.db).setTags(`Document/${name}`, tagsOf(input));
    return { DocumentDescription: describe(made, context) };
  },
  UpdateDocument(store, input, context) {
    const name = nameOf(input);
    const based = optionalText(input, "DocumentVersion");
    if (based !== undefined && store.get(name, based).version !== store.get(name, "$LATEST").version) {
      throw new AwsError("InvalidDocumentVersion", `Only the latest version of ${name} can be updated.`);
    }
    return {
      DocumentDescription: describe(
        store.update(name, text(input, "Content"), formatOf(input), context.now().getTime()),
        context,
      ),
    };
  },
  UpdateDocumentDefaultVersion(store, input) {
    const { name, defaultVersion } = store.setDefault(nameOf(input), text(input, "DocumentVersion"));
    return { Description: { Name: name, DefaultVersion: String(defaultVersion) } };
  },
  DescribeDocument: (store, input, context) => ({
    Document: describe(
      store.get(nameOf(input), optionalText(input, "DocumentVersion") ?? "$DEFAULT"),
      context,
    ),
  }),
  GetDocument: getDocument,
  ListDocuments: listDocuments,
  ListDocumentVersions(store, input) {
    const name = nameOf(input);
    store.get(name, "$DEFAULT");
    const { items, next } = page(input, store.versions(name), 50);
    return {
      DocumentVersions: items.map((each) => ({
        Name: name,
        DocumentVersion: String(each.version),
        CreatedDate: new Date(each.createdAt),
        IsDefaultVersion: each.isDefault,
        DocumentFormat: each.format,
        Status: "Active",
      })),
      NextToken: next,
    };
  },
  DeleteDocument(store, input, context) {
    const version = optionalText(input, "DocumentVersion");
    store.delete(nameOf(input), version);
    if (version === undefined) new ParameterStore(context.db).setTags(`Document/${nameOf(input)}`, {});
    return {};
  },
};
