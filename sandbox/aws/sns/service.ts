import type { Database } from "bun:sqlite";
import { randomUUID } from "node:crypto";
import type { Events } from "../events.ts";
import { AwsError, type QueryService, type Service, type ServiceContext } from "../service.ts";

/** A message as it was published, and whom it went to. */
interface Published {
  readonly topicArn: string;
  readonly message: string;
  readonly to: readonly { readonly protocol: string; readonly endpoint: string }[];
}

interface Subscription {
  readonly id: string;
  readonly protocol: string;
  readonly endpoint: string;
}

const publishedMax = 500;

/**
 * SNS as far as it delivers: topics and subscriptions are the objects that Terraform's provider keeps (`objects/`). Functions are
 * really called; what goes to people is seen at `/_sandbox/published`.
 */
class Topics {
  readonly published: Published[] = [];

  constructor(
    private readonly db: Database,
    private readonly events: Events,
    private readonly now: () => Date,
  ) {}

  isThere(topicArn: string): boolean {
    return this.stored("aws_sns_topic").some(({ id }) => id === topicArn);
  }

  /** Gives the message's id. */
  publish(topicArn: string, message: string, subject: string | null = null): string {
    const id = randomUUID();
    const subscriptions = this.subscriptionsOf(topicArn);
    this.published.push({
      topicArn,
      message,
      to: subscriptions.map(({ protocol, endpoint }) => ({ protocol, endpoint })),
    });
    if (this.published.length > publishedMax) this.published.shift();
    for (const subscription of subscriptions)
      if (subscription.protocol === "lambda")
        this.events.call({
          functionArn: subscription.endpoint,
          principal: "sns.amazonaws.com",
          sourceArn: topicArn,
          event: { Records: [this.record(subscription, id, topicArn, message, subject)] },
        });
    return id;
  }

  /** AWS Lambda Developer Guide, "Invoking Lambda functions with Amazon SNS notifications". */
  private record(
    subscription: Subscription,
    id: string,
    topicArn: string,
    message: string,
    subject: string | null,
  ) {
    return {
      EventVersion: "1.0",
      EventSubscriptionArn: subscription.id,
      EventSource: "aws:sns",
      Sns: {
        SignatureVersion: "1",
        Timestamp: this.now().toISOString(),
        Signature: "sandbox",
        SigningCertUrl: "https://sns.us-east-1.amazonaws.com/sandbox.pem",
        MessageId: id,
        Message: message,
        MessageAttributes: {},
        Type: "Notification",
        UnsubscribeUrl: `https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscription.id}`,
        TopicArn: topicArn,
        Subject: subject,
      },
    };
  }

  private subscriptionsOf(topicArn: string): Subscription[] {
    return this.stored("aws_sns_topic_subscription")
      .filter(({ attributes }) => attributes.topic_arn === topicArn)
      .map(({ id, attributes }) => ({
        id,
        protocol: String(attributes.protocol),
        endpoint: String(attributes.endpoint),
      }));
  }

  private stored(type: string): { id: string; attributes: Readonly<Record<string, unknown>> }[] {
    return this.db
      .query<{ id: string; attributes: string }, [string]>(
        "SELECT id, attributes FROM stored_objects WHERE type = ? ORDER BY id",
      )
      .all(type)
      .map(({ id, attributes }) => ({ id, attributes: JSON.parse(attributes) as Record<string, unknown> }));
  }
}

export function create(events: Events): Service[] {
  let topics: Topics;
  const service: QueryService = {
    kind: "query",
    name: "sns",
    namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
    style: "query",
    operations: {
      Publish: ({ TopicArn: topicArn = "", Message: message = "", Subject: subject }) => {
        if (message === "") throw new AwsError("InvalidParameter", "Invalid parameter: Empty message");
        if (!topics.isThere(topicArn)) throw new AwsError("NotFound", "Topic does not exist", 404);
        return { MessageId: topics.publish(topicArn, message, subject) };
      },
    },
    control: { published: () => topics.published },
    start({ db, now }: ServiceContext) {
      topics = new Topics(db, events, now);
      events.offerTopics({
        publish: (topicArn, message) => void (topics.isThere(topicArn) && topics.publish(topicArn, message)),
      });
    },
  };
  return [service];
}
