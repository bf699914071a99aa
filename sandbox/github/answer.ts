/** What a request is answered with; GitHub's own wording, because clients and people read it. */
export class GitHubError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors?: readonly ValidationProblem[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export interface ValidationProblem {
  readonly resource: string;
  readonly field: string;
  readonly code: string;
  readonly message?: string;
}

export const notFound = () => new GitHubError(404, "Not Found");

export function invalid(resource: string, field: string, code: string, message?: string): GitHubError {
  return new GitHubError(422, "Validation Failed", [
    { resource, field, code, ...(message ? { message } : {}) },
  ]);
}

export function errorResponse(error: unknown, headers: Readonly<Record<string, string>>): Response {
  const known = error instanceof GitHubError ? error : new GitHubError(500, String(error));
  const body = {
    message: known.message,
    ...(known.errors ? { errors: known.errors } : {}),
    documentation_url: "https://docs.github.com/rest",
    status: String(known.status),
  };
  return Response.json(body, { status: known.status, headers: { ...headers, ...known.headers } });
}
