/** What is told of a CloudWatch alarm, from the message that CloudWatch sends to the alarms' topic. */
import type { NoticeContext } from "./phase-notice.ts";
import { link, type SlackMessage, slackMessage, words } from "./slack-message.ts";

export interface AlarmChange {
  readonly name: string;
  readonly state: string;
  readonly description: string;
  readonly reason: string;
  /** As CloudWatch writes it: with the name, which change it is. */
  readonly at: string;
  readonly region: string;
}

/** The change of an alarm, by the text of a message; undefined for a message that is none. */
export function readAlarm(message: string): AlarmChange | undefined {
  const fields = objectIn(message);
  if (fields === undefined) return undefined;
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  const [name, state, at] = [text("AlarmName"), text("NewStateValue"), text("StateChangeTime")];
  if (name === "" || state === "" || at === "") return undefined;
  // arn:aws:cloudwatch:us-east-1:123456789012:alarm:name; `Region` is its name in words.
  const region = text("AlarmArn").split(":")[3] ?? "";
  return { name, state, at, region, description: text("AlarmDescription"), reason: text("NewStateReason") };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: somebody's own message.
    return undefined;
  }
}

const headlines: Readonly<Record<string, string>> = { ALARM: "ALARM", OK: "OK again" };

/** `description` is what the alarm means and the way out, as Terraform gave it. */
export function alarmNotice(alarm: AlarmChange, { environment }: NoticeContext): SlackMessage {
  const { name, state, description, reason, at, region } = alarm;
  return slackMessage({
    headline: `${environment}: ${headlines[state] ?? "alarm without data"}`,
    paragraphs: [
      `*${link(consolePage(name, region), name)}*${description === "" ? "" : `\n${words(description, 500)}`}`,
      ...(reason === "" ? [] : [words(reason, 400)]),
    ],
    facts: [words(state), words(at)],
  });
}

function consolePage(name: string, region: string): string | undefined {
  // Roundtrip's own names are of these; how the console writes others in its addresses is not documented.
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region) || !/^[\w-]+$/.test(name)) return undefined;
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#alarmsV2:alarm/${name}`;
}
