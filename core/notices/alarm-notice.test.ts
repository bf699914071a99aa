import { describe, expect, test } from "bun:test";
import { alarmNotice, readAlarm } from "./alarm-notice.ts";

/** As CloudWatch sends it (CloudWatch User Guide, "Notify Users on alarm changes"), with fields we don't read left out. */
const sent = (more: object = {}) =>
  JSON.stringify({
    AlarmName: "roundtrip-prod-capture-token",
    AlarmDescription: "What is older is lost for good. Act now.",
    AWSAccountId: "123456789012",
    NewStateValue: "ALARM",
    NewStateReason: "Threshold Crossed: 3 datapoints [61.0, 60.0 & 59.0] were > 50.0",
    StateChangeTime: "2026-11-21T03:04:05.678+0000",
    Region: "US East (N. Virginia)",
    AlarmArn: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:roundtrip-prod-capture-token",
    OldStateValue: "OK",
    ...more,
  });

describe("an alarm", () => {
  test("is told with what it means, why it rings, and a link to it", () => {
    const message = alarmNotice(readAlarm(sent())!, { environment: "prod" });
    expect(message.text).toBe(
      [
        "prod: ALARM",
        "*<https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/roundtrip-prod-capture-token|roundtrip-prod-capture-token>*",
        "What is older is lost for good. Act now.",
        "Threshold Crossed: 3 datapoints [61.0, 60.0 &amp; 59.0] were &gt; 50.0",
      ].join("\n"),
    );
  });

  test("is told when it is over", () => {
    const over = readAlarm(sent({ NewStateValue: "OK" }))!;
    expect(alarmNotice(over, { environment: "prod" }).text).toStartWith("prod: OK again\n");
  });

  test("that nobody described, by a name and from a region no link is made of, is still told", () => {
    const bare = readAlarm(
      sent({ AlarmName: "a|b> <!here>", AlarmDescription: null, AlarmArn: "?", NewStateReason: "" }),
    );
    expect(alarmNotice(bare!, { environment: "dev" }).text).toBe("dev: ALARM\n*a|b&gt; &lt;!here&gt;*");
  });

  test.each(["hello", "null", "[]", "{}", sent({ AlarmName: "" }), sent({ StateChangeTime: 1 })])(
    "%s is none",
    (message) => expect(readAlarm(message)).toBeUndefined(),
  );
});
