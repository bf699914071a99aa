import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { AwsError } from "../service.ts";
import { type DocumentContent, parseDocument } from "./document-content.ts";

export interface DocumentVersion {
  readonly name: string;
  readonly version: number;
  readonly text: string;
  readonly format: "JSON" | "YAML";
  readonly hash: string;
  readonly createdAt: number;
  readonly isDefault: boolean;
  readonly latest: number;
  readonly defaultVersion: number;
  readonly content: DocumentContent;
}

interface Row {
  readonly name: string;
  readonly version: number;
  readonly text: string;
  readonly format: "JSON" | "YAML";
  readonly created_at: number;
  readonly latest: number;
  readonly default_version: number;
}

const select = `SELECT v.name, v.version, v.text, v.format, v.created_at, d.default_version,
  (SELECT max(version) FROM ssm_document_versions WHERE name = v.name) AS latest
  FROM ssm_document_versions v JOIN ssm_documents d ON d.name = v.name`;

/** The documents of the account with all their versions. */
export class DocumentStore {
  constructor(readonly db: Database) {
    db.run(
      "CREATE TABLE IF NOT EXISTS ssm_documents (name TEXT PRIMARY KEY, default_version INTEGER NOT NULL) STRICT",
    );
    db.run(`CREATE TABLE IF NOT EXISTS ssm_document_versions (name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
      format TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (name, version)) STRICT`);
  }

  create(name: string, text: string, format: "JSON" | "YAML", now: number): DocumentVersion {
    if (this.find(name, "$LATEST"))
      throw new AwsError("DocumentAlreadyExists", `Document with name ${name} already exists`);
    parseDocument(text, format);
    this.db.transaction(() => {
      this.db.run("INSERT INTO ssm_documents (name, default_version) VALUES (?, 1)", [name]);
      this.#insert(name, 1, text, format, now);
    })();
    return this.get(name, "1");
  }

  /** A new version; the default one stays what it was, as in the service. */
  update(name: string, text: string, format: "JSON" | "YAML", now: number): DocumentVersion {
    const current = this.get(name, "$LATEST");
    parseDocument(text, format);
    if (current.text === text)
      throw new AwsError(
        "DuplicateDocumentContent",
        "The content of the association document matches another document. Change the content of the document and try again.",
      );
    this.#insert(name, current.latest + 1, text, format, now);
    return this.get(name, String(current.latest + 1));
  }

  setDefault(name: string, version: string): DocumentVersion {
    const chosen = this.get(name, version);
    this.db.run("UPDATE ssm_documents SET default_version = ? WHERE name = ?", [chosen.version, name]);
    return this.get(name, version);
  }

  delete(name: string, version: string | undefined): void {
    const chosen = this.get(name, version ?? "$DEFAULT");
    if (version === undefined) {
      this.db.run("DELETE FROM ssm_document_versions WHERE name = ?", [name]);
      this.db.run("DELETE FROM ssm_documents WHERE name = ?", [name]);
      return;
    }
    if (chosen.isDefault)
      throw new AwsError("InvalidDocumentOperation", "The default version of a document can't be deleted.");
    this.db.run("DELETE FROM ssm_document_versions WHERE name = ? AND version = ?", [name, chosen.version]);
  }

  all(): DocumentVersion[] {
    return this.db
      .query<Row, []>(`${select} WHERE v.version = d.default_version ORDER BY v.name`)
      .all()
      .map(fromRow);
  }

  versions(name: string): DocumentVersion[] {
    return this.db
      .query<Row, [string]>(`${select} WHERE v.name = ? ORDER BY v.version DESC`)
      .all(name)
      .map(fromRow);
  }

  /** `version` is a number, `$DEFAULT` or `$LATEST`. Throws InvalidDocument, InvalidDocumentVersion. */
  get(name: string, version: string): DocumentVersion {
    if (!this.find(name, "$DEFAULT"))
      throw new AwsError("InvalidDocument", `Document with name ${name} does not exist.`);
    const found = this.find(name, version);
    if (!found)
      throw new AwsError("InvalidDocumentVersion", `Document version ${version} of ${name} does not exist.`);
    return found;
  }

  find(name: string, version: string): DocumentVersion | undefined {
    const all = this.versions(name);
    if (version === "$LATEST") return all[0];
    return all.find((each) => (version === "$DEFAULT" ? each.isDefault : String(each.version) === version));
  }

  #insert(name: string, version: number, text: string, format: string, now: number): void {
    this.db.run(
      "INSERT INTO ssm_document_versions (name, version, text, format, created_at) VALUES (?, ?, ?, ?, ?)",
      [name, version, text, format, now],
    );
  }
}

function fromRow(row: Row): DocumentVersion {
  return {
    name: row.name,
    version: row.version,
    text: row.text,
    format: row.format,
    createdAt: row.created_at,
    latest: row.latest,
    defaultVersion: row.default_version,
    isDefault: row.version === row.default_version,
    hash: createHash("sha256").update(row.text).digest("hex"),
    content: parseDocument(row.text, row.format),
  };
}
