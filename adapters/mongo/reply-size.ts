/** A reply of the server's own size (16 MB) costs several times that on its way: smaller ones are as quick. */
const replyBytes = 2 * 1024 * 1024;
const replyEventsMin = 16;
const replyEventsMax = 20_000;

/** How many events to ask for, so that a reply has about `replyBytes`. */
export class ReplySize {
  events = 1000;

  saw(events: readonly Uint8Array[]): void {
    if (events.length === 0) return;
    let bytes = 0;
    for (const event of events) bytes += event.length;
    const fitting = Math.round((replyBytes / bytes) * events.length);
    this.events = Math.min(Math.max(fitting, replyEventsMin), replyEventsMax);
  }
}
