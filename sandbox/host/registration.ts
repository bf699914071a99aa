/** How often the agent reports; the aws stand-in may be restarted and forget that there is a machine. */
const reportMs = 1000;

/** What the machine tells the aws stand-in of itself, and whether that says it ought to be running. */
async function report(aws: string, instanceId: string, control: string): Promise<boolean> {
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${aws}/_sandbox/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
  await post("hosts", { instanceId, control });
  const answer = await post(`instances/${instanceId}/host`, { control });
  if (!answer.ok) throw new Error(`${aws}/_sandbox/instances: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { running: boolean }).running;
}

/**
 * Registers the machine at the aws stand-in and goes on reporting. The first report must get through (an Error
 * otherwise); `onRunning` is called when the instance ought to be running.
 */
export async function register(
  aws: string,
  instanceId: string,
  control: string,
  onRunning: () => void,
): Promise<Disposable> {
  const base = aws.replace(/\/$/, "");
  if (await report(base, instanceId, control)) onRunning();
  const timer = setInterval(() => {
    report(base, instanceId, control).then(
      (running) => running && onRunning(),
      // The stand-in is down for a moment; the next report finds it again.
      () => {},
    );
  }, reportMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
