/** How often the agent reports; the aws stand-in may be restarted and forget that there is a machine. */
const reportMs = 500;

/** What the machine tells the aws stand-in of itself, and whether that says it ought to be running. */
async function report(aws: string, instanceId: string, control: string, isUp: boolean): Promise<boolean> {
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${aws}/_sandbox/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
  await post("hosts", { instanceId, control });
  const answer = await post(`instances/${instanceId}/host`, { control, running: isUp });
  if (!answer.ok) throw new Error(`${aws}/_sandbox/instances: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { running: boolean }).running;
}

export interface Registration {
  readonly aws: string;
  readonly instanceId: string;
  readonly control: string;
  readonly isUp: () => boolean;
  /** Called when the instance ought to be running. */
  readonly onRunning: () => void;
}

/** Registers the machine at the aws stand-in and goes on reporting; the first report must get through (an Error otherwise). */
export async function register({
  aws,
  instanceId,
  control,
  isUp,
  onRunning,
}: Registration): Promise<Disposable> {
  const base = aws.replace(/\/$/, "");
  if (await report(base, instanceId, control, isUp())) onRunning();
  const timer = setInterval(() => {
    report(base, instanceId, control, isUp()).then(
      (running) => running && onRunning(),
      // The stand-in is down for a moment; the next report finds it again.
      () => {},
    );
  }, reportMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
