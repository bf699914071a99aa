import { createHash, createHmac } from "node:crypto";

/** An error an AWS service answered with. */
export class AwsFailure extends Error {
  constructor(
    readonly service: string,
    readonly operation: string,
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(`${service}: ${operation}: ${code}: ${message} (status ${status})`);
  }
}

export interface AwsRequest {
  readonly service: string;
  /** For messages. */
  readonly operation: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly region: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Identity {
  readonly Account: string;
  readonly Arn: string;
  readonly UserId: string;
}

/** The text of the first element of that name; "" when there is none. */
export function xmlText(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
}

const attempts = 5;

/** Signed calls to the AWS stand-in. Passing faults are tried again, as the real provider's SDK does. */
export class AwsClient {
  #identity: Promise<Identity> | undefined;

  constructor(
    private readonly endpoint: string,
    private readonly credentials: () => Promise<Credentials>,
  ) {}

  async send(request: AwsRequest): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#once(request);
      if (!(outcome instanceof Error)) return outcome;
      const passing =
        !(outcome instanceof AwsFailure) || outcome.status >= 500 || /Throttl|TooMany/.test(outcome.code);
      if (!passing || attempt === attempts) throw outcome;
      await Bun.sleep(50 * 2 ** attempt);
    }
  }

  /** An AWS JSON 1.1 call: the input as an object, the output as one. */
  async json(
    service: string,
    target: string,
    input: object,
    region: string,
  ): Promise<Record<string, unknown>> {
    const { body } = await this.send({
      service,
      operation: target.slice(target.indexOf(".") + 1),
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
      body: JSON.stringify(input),
      region,
    });
    const answer = Buffer.from(body).toString();
    return answer === "" ? {} : (JSON.parse(answer) as Record<string, unknown>);
  }

  /** A Query call (STS, IAM, EC2): the answer's XML. */
  async query(
    service: string,
    version: string,
    parameters: Readonly<Record<string, string>> & { readonly Action: string },
    region: string,
  ): Promise<string> {
    const { body } = await this.send({
      service,
      operation: parameters.Action,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ ...parameters, Version: version }).toString(),
      region,
    });
    return Buffer.from(body).toString();
  }

  /** Whose credentials these are; asked once. */
  identity(region: string): Promise<Identity> {
    this.#identity ??= this.query("sts", "2011-06-15", { Action: "GetCallerIdentity" }, region).then(
      (xml) => ({
        Account: xmlText(xml, "Account"),
        Arn: xmlText(xml, "Arn"),
        UserId: xmlText(xml, "UserId"),
      }),
    );
    return this.#identity;
  }

  async #once(request: AwsRequest): Promise<{ status: number; headers: Headers; body: Uint8Array } | Error> {
    const { method = "POST", path = "/", query = {}, body = "" } = request;
    const search = canonicalQuery(query);
    const url = new URL(`${this.endpoint}${path}${search === "" ? "" : `?${search}`}`);
    const headers = sign(
      { ...request, method, path, body },
      search,
      url.host,
      await this.credentials(),
      new Date(),
    );
    let answer: Response;
    try {
      answer = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body }) });
    } catch (cause) {
      return new Error(`${request.service}: ${request.operation}: no answer from ${this.endpoint}`, {
        cause,
      });
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.ok) return { status: answer.status, headers: answer.headers, body: bytes };
    return failureOf(request, answer, Buffer.from(bytes).toString());
  }
}

function failureOf(request: AwsRequest, answer: Response, body: string): AwsFailure {
  const named = answer.headers.get("x-amzn-errortype") ?? "";
  let code = named.split(":")[0] ?? "";
  let message = body;
  if (body.startsWith("{")) {
    const error = JSON.parse(body) as { __type?: string; message?: string; Message?: string };
    code = (error.__type ?? code).split("#").at(-1) ?? code;
    message = error.message ?? error.Message ?? body;
  } else {
    code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? code;
    message = /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? body;
  }
  return new AwsFailure(
    request.service,
    request.operation,
    code === "" ? `Status${answer.status}` : code,
    answer.status,
    message,
  );
}

function encode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
}

function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Signature Version 4 (AWS General Reference). */
function sign(
  request: Required<Pick<AwsRequest, "method" | "path" | "body">> & AwsRequest,
  search: string,
  host: string,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const digest = hash(request.body);
  const headers: Record<string, string> = {
    ...request.headers,
    host,
    "x-amz-content-sha256": digest,
    "x-amz-date": time,
    "user-agent": `terraform-provider-aws app/${process.env.AWS_SDK_UA_APP_ID ?? "terraform"}`,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const names = Object.keys(headers)
    .filter((name) => name !== "user-agent")
    .sort();
  const canonical = [
    request.method,
    request.path,
    search,
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    digest,
  ].join("\n");
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, hash(canonical)].join("\n");
  const key = [day, request.region, request.service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}
