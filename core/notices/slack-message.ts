/** Messages for Slack's incoming webhooks: their form, its limits, and text in them that people wrote. */

interface PlainText {
  readonly type: "plain_text";
  readonly text: string;
}
interface Mrkdwn {
  readonly type: "mrkdwn";
  readonly text: string;
}

type SlackBlock =
  | { readonly type: "header"; readonly text: PlainText }
  | { readonly type: "section"; readonly text: Mrkdwn }
  | { readonly type: "context"; readonly elements: readonly Mrkdwn[] };

/** The body of a post. `text` is what a phone's notification shows, and clients that draw no blocks. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

/** Slack's own limits (Block Kit reference): characters of a header, of a section, of an element of a context. */
const headerLengthMax = 150;
const sectionLengthMax = 3_000;
const elementLengthMax = 2_000;
/** Longer texts are cut by Slack's clients, not refused (chat.postMessage, "Truncating content"). */
const fallbackLengthMax = 4_000;

/** What a message is built from. Everything but `headline` is mrkdwn: what people wrote in it went through `words`. */
export interface Notice {
  /** Plain text, without anything people wrote. */
  readonly headline: string;
  readonly paragraphs: readonly string[];
  /** Small print below. */
  readonly facts: readonly string[];
}

/** The message of a notice, within Slack's limits. */
export function slackMessage({ headline, paragraphs, facts }: Notice): SlackMessage {
  const section = (text: string): SlackBlock => ({
    type: "section",
    text: { type: "mrkdwn", text: within(text, sectionLengthMax) },
  });
  return {
    text: within([escaped(headline), ...paragraphs].join("\n"), fallbackLengthMax),
    blocks: [
      { type: "header", text: { type: "plain_text", text: within(headline, headerLengthMax) } },
      ...paragraphs.map(section),
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: within(facts.join(" · "), elementLengthMax) }],
      },
    ],
  };
}

/**
 * Text from outside as mrkdwn that says just this, on one line: Slack reads `&`, `<` and `>` (mentions, links), nothing else
 * needs to be escaped. At most `lengthMax` characters of it, before they are escaped.
 */
export function words(text: string, lengthMax = 200): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = [...line];
  return escaped(characters.length <= lengthMax ? line : `${characters.slice(0, lengthMax - 1).join("")}…`);
}

/** A link with its words; just the words where there is no address. The address is one of ours, without `|` and `>`. */
export function link(address: string | undefined, text: string): string {
  return address === undefined ? escaped(text) : `<${escaped(address)}|${escaped(text)}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A last guard: what is built here is shorter. It cuts before a link or an entity rather than through it. */
function within(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax - 1).replace(/(?:<[^>]*|&[a-z]*|[\uD800-\uDBFF])$/, "")}…`;
}
