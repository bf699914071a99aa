/** What is told of a message on the alarms' topic that is no alarm: whoever sent it there wanted it heard. */
import type { NoticeContext } from "./phase-notice.ts";
import { type SlackMessage, slackMessage, words } from "./slack-message.ts";

export function messageNotice(text: string, { environment }: NoticeContext): SlackMessage {
  return slackMessage({
    headline: `${environment}: a message on the alarms' topic`,
    paragraphs: [words(text, 500) || "(empty)"],
    facts: ["no alarm of CloudWatch"],
  });
}
