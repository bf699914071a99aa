/** A secret's text as an object of strings; numbers and booleans (DocumentDB writes `port` as a number) become text. */
export function readSecretFields(text: string): Record<string, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text: it must not become the cause.
    return undefined;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  if (fields.some(([, field]) => typeof field === "object")) return undefined;
  return Object.fromEntries(fields.map(([name, field]) => [name, String(field)]));
}
