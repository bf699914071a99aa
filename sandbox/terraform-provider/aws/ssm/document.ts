/** aws_ssm_document */
import type { Resource } from "../../resource.ts";
import { isUnknown, sameValue, text, type Value } from "../../values.ts";
import { tagList } from "../tags.ts";
import { type Answer, ssm, ssmTags, unless, updateSsmTags } from "./api.ts";

function parameters(described: Answer): Value {
  const list = (described.Parameters ?? []) as Record<string, string | undefined>[];
  return list.map(({ Name, Type, Description, DefaultValue }) => ({
    name: Name ?? null,
    type: Type ?? null,
    description: Description ?? null,
    default_value: DefaultValue ?? null,
  }));
}

export const document: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/ssm/document.go",
    forceNew: ["name", "document_type"],
    defaults: { document_format: "JSON" },
    oneOf: {
      document_format: ["YAML", "JSON", "TEXT"],
      document_type: [
        ...["Command", "Policy", "Automation", "Session", "Package", "ApplicationConfiguration"],
        ...[
          "ApplicationConfigurationSchema",
          "DeploymentStrategy",
          "ChangeCalendar",
          "Automation.ChangeTemplate",
        ],
        ...["ProblemAnalysis", "ProblemAnalysisTemplate", "CloudFormation", "ConformancePackTemplate"],
        ...["QuickSetup", "ManualApprovalPolicy", "AutoApprovalPolicy"],
      ],
    },
    pattern: {
      name: [
        {
          pattern: /^[0-9A-Za-z_.-]{3,128}$/,
          says: "must contain only 3 to 128 alphanumeric, underscore, hyphen, or period characters",
        },
      ],
    },
    recomputed: {
      default_version: ["content"],
      document_version: ["content"],
      hash: ["content"],
      latest_version: ["content"],
      parameter: ["content"],
      description: ["content"],
    },
  },
  async create({ planned }, context) {
    await ssm(context, planned, "CreateDocument", {
      Name: planned.name,
      Content: planned.content,
      DocumentType: planned.document_type,
      DocumentFormat: planned.document_format,
      TargetType: isUnknown(planned.target_type) ? undefined : (planned.target_type ?? undefined),
      Tags: tagList(planned),
    });
    return { id: planned.name ?? null };
  },
  async read(state, context) {
    const Name = state.id;
    const format = text(state.document_format) ?? "JSON";
    const described = await unless(
      "InvalidDocument",
      ssm(context, state, "DescribeDocument", { Name, DocumentVersion: "$DEFAULT" }),
    );
    if (!described) return undefined;
    const found = described.Document as Answer;
    const got = await ssm(context, state, "GetDocument", { Name, DocumentFormat: format });
    const { Account } = await context.aws.identity(context.region);
    return {
      id: String(found.Name),
      name: String(found.Name),
      arn: `arn:aws:ssm:${context.region}:${Account}:document/${String(found.Name)}`,
      content: String(got.Content),
      created_date: new Date(Number(found.CreatedDate) * 1000).toISOString(),
      default_version: String(found.DefaultVersion),
      description: text(found.Description as Value) ?? "",
      document_format: format,
      document_type: String(found.DocumentType),
      document_version: String(found.DocumentVersion),
      hash: String(found.Hash),
      hash_type: String(found.HashType),
      latest_version: String(found.LatestVersion),
      owner: String(found.Owner),
      parameter: parameters(found),
      platform_types: (found.PlatformTypes ?? []) as string[],
      schema_version: String(found.SchemaVersion),
      status: String(found.Status),
      ...(await ssmTags(context, state, "Document", String(found.Name))),
    };
  },
  async update({ prior, planned }, context) {
    if (!sameValue(prior.content, planned.content)) {
      const updated = await ssm(context, prior, "UpdateDocument", {
        Name: prior.name,
        Content: planned.content,
        DocumentFormat: planned.document_format,
        DocumentVersion: "$LATEST",
      });
      const { DocumentVersion } = updated.DocumentDescription as Answer;
      await ssm(context, prior, "UpdateDocumentDefaultVersion", { Name: prior.name, DocumentVersion });
    }
    await updateSsmTags(context, prior, planned, "Document");
    return undefined;
  },
  async delete(state, context) {
    await unless("InvalidDocument", ssm(context, state, "DeleteDocument", { Name: state.id }));
  },
};
