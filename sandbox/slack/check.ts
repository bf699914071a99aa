/** What Slack refuses of a webhook's payload. */

const textLengthMax = 40_000;
const blocksMax = 50;
const elementsMax = 10;
/** Characters of the text object a block has. */
const textMax: Readonly<Record<string, number>> = { header: 150, section: 3_000, context: 2_000 };

type Fields = Readonly<Record<string, unknown>>;

/** The word Slack answers with; undefined for a payload it takes. */
export function refusalOf(body: string, contentType: string): string | undefined {
  if (!contentType.startsWith("application/json")) return "invalid_payload";
  const payload = fieldsOf(body);
  if (payload === undefined) return "invalid_payload";
  const { text, blocks = [] } = payload;
  if (text !== undefined && typeof text !== "string") return "invalid_payload";
  if (!Array.isArray(blocks)) return "invalid_blocks_format";
  if ((text ?? "") === "" && blocks.length === 0) return "no_text";
  if ((text ?? "").length > textLengthMax) return "msg_too_long";
  if (blocks.length > blocksMax) return "invalid_blocks";
  return blocks.every((block) => isBlock(block as Fields)) ? undefined : "invalid_blocks";
}

function fieldsOf(body: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

function isBlock({ type, text, elements }: Fields): boolean {
  if (type === "header") return isText(text, "plain_text", textMax.header!);
  if (type === "section") return isText(text, "mrkdwn", textMax.section!);
  if (type !== "context" || !Array.isArray(elements)) return false;
  const texts = elements as unknown[];
  if (texts.length === 0 || texts.length > elementsMax) return false;
  return texts.every((each) => isText(each, "mrkdwn", textMax.context!));
}

function isText(value: unknown, type: string, lengthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { type: given, text } = value as Fields;
  return given === type && typeof text === "string" && text.length > 0 && text.length <= lengthMax;
}
