import { expect } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import * as ssm from "@aws-sdk/client-ssm";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorName, type Scenario } from "./suite.ts";

const content = (line: string): string =>
  JSON.stringify({
    schemaVersion: "2.2",
    description: "contract",
    parameters: {
      who: { type: "String", description: "whom", default: "world", interpolationType: "ENV_VAR" },
    },
    mainSteps: [{ action: "aws:runShellScript", name: "run", inputs: { runCommand: [line] } }],
  });

class Bench {
  #opened: ssm.SSMClient | undefined;

  get client(): ssm.SSMClient {
    this.#opened ??= new ssm.SSMClient({});
    return this.#opened;
  }

  name(): string {
    return `contract-${randomBytes(6).toString("hex")}`;
  }

  async create(
    Name: string,
    Content: string,
    DocumentFormat: "JSON" | "YAML" = "JSON",
  ): Promise<ssm.DocumentDescription> {
    const made = await this.client.send(
      new ssm.CreateDocumentCommand({ Name, Content, DocumentType: "Command", DocumentFormat }),
    );
    return made.DocumentDescription!;
  }

  async update(Name: string, Content: string): Promise<ssm.DocumentDescription> {
    const made = await this.client.send(
      new ssm.UpdateDocumentCommand({ Name, Content, DocumentVersion: "$LATEST" }),
    );
    return made.DocumentDescription!;
  }

  describe(Name: string, DocumentVersion?: string) {
    return this.client
      .send(new ssm.DescribeDocumentCommand({ Name, DocumentVersion }))
      .then(({ Document }) => Document!);
  }

  get(Name: string, DocumentVersion?: string) {
    return this.client.send(new ssm.GetDocumentCommand({ Name, DocumentVersion }));
  }
}

function documents(scenario: Scenario, bench: Bench): void {
  scenario("a document is created, described with its parameters and hash, and read back", async () => {
    const name = bench.name();
    const made = await bench.create(name, content("echo 1"));
    expect(made).toMatchObject({
      Name: name,
      DocumentVersion: "1",
      DefaultVersion: "1",
      LatestVersion: "1",
      Status: "Active",
    });
    const described = await bench.describe(name);
    expect(described.Parameters).toMatchObject([
      { Name: "who", Type: "String", Description: "whom", DefaultValue: "world" },
    ]);
    expect([described.HashType, described.Hash]).toEqual([
      "Sha256",
      createHash("sha256").update(content("echo 1")).digest("hex"),
    ]);
    expect(JSON.parse((await bench.get(name)).Content!)).toEqual(JSON.parse(content("echo 1")));
  });

  scenario("a YAML document keeps its text; it is JSON unless YAML is asked for", async () => {
    const name = bench.name();
    const yaml =
      'schemaVersion: "2.2"\nmainSteps:\n  - action: aws:runShellScript\n    name: run\n    inputs:\n      runCommand: [echo 1]\n';
    await bench.create(name, yaml, "YAML");
    const read = async (DocumentFormat?: "YAML") =>
      bench.client.send(new ssm.GetDocumentCommand({ Name: name, DocumentFormat }));
    expect((await read("YAML")).Content).toBe(yaml);
    expect(JSON.parse((await read()).Content!)).toMatchObject({
      schemaVersion: "2.2",
      mainSteps: [{ name: "run" }],
    });
  });

  scenario("an update makes a new version and leaves the default where it was", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    expect(await bench.update(name, content("echo 2"))).toMatchObject({
      DocumentVersion: "2",
      LatestVersion: "2",
      DefaultVersion: "1",
    });
    expect((await bench.get(name)).Content).toContain("echo 1");
    expect((await bench.get(name, "$LATEST")).Content).toContain("echo 2");
    await bench.client.send(
      new ssm.UpdateDocumentDefaultVersionCommand({ Name: name, DocumentVersion: "2" }),
    );
    expect((await bench.get(name)).Content).toContain("echo 2");
    expect((await bench.get(name, "1")).Content).toContain("echo 1");
  });
}

function refusals(scenario: Scenario, bench: Bench): void {
  scenario("the same content again is no new version", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    expect(await errorName(bench.update(name, content("echo 1")))).toBe("DuplicateDocumentContent");
  });

  scenario("names are taken once; unknown documents and versions have errors of their own", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    expect(await errorName(bench.create(name, content("echo 2")))).toBe("DocumentAlreadyExists");
    expect(await errorName(bench.get(bench.name()))).toBe("InvalidDocument");
    expect(await errorName(bench.describe(bench.name()))).toBe("InvalidDocument");
  });

  scenario("a version that isn't there is InvalidDocumentVersion", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    expect(await errorName(bench.get(name, "7"))).toBe("InvalidDocumentVersion");
  });

  scenario("content that is no document is refused", async () => {
    expect(await errorName(bench.create(bench.name(), "{"))).toBe("InvalidDocumentContent");
    const steps = { schemaVersion: "2.2", mainSteps: [{ action: "aws:nothing", name: "x", inputs: {} }] };
    expect(await errorName(bench.create(bench.name(), JSON.stringify(steps)))).toBe("InvalidDocumentContent");
  });

  scenario("a deleted document is gone with all its versions", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    await bench.update(name, content("echo 2"));
    await bench.client.send(new ssm.DeleteDocumentCommand({ Name: name }));
    expect(await errorName(bench.get(name, "2"))).toBe("InvalidDocument");
  });

  scenario("own documents are listed by the beginning of their name", async () => {
    const name = bench.name();
    await bench.create(name, content("echo 1"));
    await bench.create(`${name}-more`, content("echo 1"));
    await bench.create(bench.name(), content("echo 1"));
    const Filters = [
      { Key: "Owner", Values: ["Self"] },
      { Key: "Name", Values: [name] },
    ];
    const { DocumentIdentifiers } = await bench.client.send(new ssm.ListDocumentsCommand({ Filters }));
    expect(DocumentIdentifiers?.map(({ Name }) => Name).sort()).toEqual([name, `${name}-more`]);
  });
}

/** SSM documents as the product and Terraform's provider use them. */
export function documentsContract(subject: ContractSubject): void {
  contractSuite("SSM documents contract", subject, (scenario) => {
    const bench = new Bench();
    documents(scenario, bench);
    refusals(scenario, bench);
  });
}
