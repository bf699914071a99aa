import { AwsError } from "../service.ts";
import { parseXml, toXml, type XmlElement } from "../xml.ts";

/** An S3 document. */
export function xmlResponse(document: object, headers: Record<string, string> = {}): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${toXml(document)}`, {
    headers: { "content-type": "application/xml", ...headers },
  });
}

/** Parses a request document; MalformedXML where it isn't one. */
export async function xmlBody(request: Request): Promise<XmlElement> {
  try {
    return parseXml(await request.text());
  } catch {
    throw new AwsError(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      400,
    );
  }
}
