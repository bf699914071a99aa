import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { RoundtripError } from "../../../core/errors.ts";
import { type EnvironmentName, environmentNames } from "../../../core/tasks/model.ts";

/** What a job may be in an environment: each has a GitHub environment and a role of AWS of its own. */
export const purposes = ["plan", "look", "apply", "operations", "failback"] as const;
export type Purpose = (typeof purposes)[number];

export interface PurposeSettings {
  /** ARN. */
  readonly role: string;
  /** `@login` or `@organisation/team`. */
  readonly reviewers?: readonly string[];
}

/** Where releases are put, by which role, and who must approve one. */
export interface ReleaseSettings extends PurposeSettings {
  readonly bucket: string;
}

export interface RepositorySettings {
  readonly version: 1;
  readonly branch: string;
  readonly region: string;
  readonly stateBucket: string;
  readonly sessionSeconds: number;
  readonly requiredChecks: readonly string[];
  /** Absent: this repository makes no releases. */
  readonly releases?: ReleaseSettings;
  readonly environments: Readonly<
    Partial<Record<EnvironmentName, Readonly<Record<Purpose, PurposeSettings>>>>
  >;
}

const purpose = {
  type: "object",
  required: ["role"],
  additionalProperties: false,
  properties: {
    role: { type: "string", pattern: "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$" },
    reviewers: {
      type: "array",
      maxItems: 6,
      uniqueItems: true,
      items: { type: "string", pattern: "^@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$" },
    },
  },
};

const bucketPattern = "^[A-Za-z0-9][A-Za-z0-9.-]{2,62}$";

const schema = {
  type: "object",
  required: [
    "version",
    "branch",
    "region",
    "stateBucket",
    "sessionSeconds",
    "requiredChecks",
    "environments",
  ],
  additionalProperties: false,
  properties: {
    version: { const: 1 },
    branch: { type: "string", minLength: 1 },
    region: { type: "string", pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$" },
    stateBucket: { type: "string", pattern: bucketPattern },
    sessionSeconds: { type: "integer", minimum: 900, maximum: 43_200 },
    requiredChecks: { type: "array", uniqueItems: true, items: { type: "string", minLength: 1 } },
    releases: {
      ...purpose,
      required: ["role", "bucket"],
      properties: { ...purpose.properties, bucket: { type: "string", pattern: bucketPattern } },
    },
    environments: {
      type: "object",
      minProperties: 1,
      additionalProperties: false,
      properties: Object.fromEntries(
        environmentNames.map((name) => [
          name,
          {
            type: "object",
            required: [...purposes],
            additionalProperties: false,
            properties: Object.fromEntries(purposes.map((each) => [each, purpose])),
          },
        ]),
      ),
    },
  },
};

/** Reads `.github/repository.yaml`. Fails `configuration` with everything that is wrong, also what was never filled in. */
export function parseSettings(text: string, file: string): RepositorySettings {
  const validate = new Ajv2020({ allErrors: true }).compile<RepositorySettings>(schema);
  const settings: unknown = parse(text);
  if (!validate(settings)) {
    const problems = (validate.errors ?? []).map(({ instancePath, message, params }) =>
      `${instancePath || "the file"} ${message} ${JSON.stringify(params)}`.trim(),
    );
    throw wrong(file, problems);
  }
  const problems = [...unfilled(settings), ...ungated(settings)];
  if (problems.length > 0) throw wrong(file, problems);
  return settings;
}

function unfilled({ stateBucket, releases, environments }: RepositorySettings): string[] {
  const given = Object.entries(environments).flatMap(([name, settings]) =>
    purposes.flatMap((each) => {
      const { role, reviewers = [] } = settings[each];
      return [[`environments.${name}.${each}`, [role, ...reviewers].join(" ")] as const];
    }),
  );
  const { bucket = "", role = "", reviewers = [] } = releases ?? {};
  const releasing = ["releases", [bucket, role, ...reviewers].join(" ")] as const;
  return [["stateBucket", stateBucket] as const, releasing, ...given]
    .filter(([, value]) => /REPLACE|:000000000000:/.test(value))
    .map(([place]) => `${place} is still the example's`);
}

function ungated({ environments }: RepositorySettings): string[] {
  const { prod } = environments;
  return prod && (prod.apply.reviewers ?? []).length === 0
    ? ["environments.prod.apply.reviewers: prod needs somebody who approves"]
    : [];
}

function wrong(file: string, problems: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read ${file}`,
    expected: "settings as docs/set-up.md describes them",
    got: problems.join("; "),
    wayOut: `mend ${file} and run it again; nothing was changed`,
  });
}
