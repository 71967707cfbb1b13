import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendOverHttp } from '../contestants';
import { quantile, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';

const carts = 20;
const tabsPerCart = 2;
const pauseMs = 100;

/** How long it takes until the tabs of a customer see what one of them has changed, while 20 carts are followed. */
export async function streams(setup: Setup, { of }: Scale): Promise<Line[]> {
  const { http, children } = setup;
  const stopping = new AbortController();
  const users = Array.from({ length: carts }, () => `followed-${randomUUID()}`);
  const sentAt = new Map<string, number>();
  const took: number[] = [];
  const onEvent = (commandId: string) => {
    const sent = sentAt.get(commandId);
    if (sent !== undefined) took.push(performance.now() - sent);
  };
  const follow = (userId: string) =>
    readEvents(`http://127.0.0.1:${children.queries.port}/carts/${userId}/stream?after=0`, stopping.signal, onEvent);
  const following = users.flatMap((userId) => Array.from({ length: tabsPerCart }, () => follow(userId)));
  const commands = of(200);
  for (let n = -carts; n < commands; n += 1) {
    const userId = users[n < 0 ? n + carts : randomInt(carts)]!;
    const key = randomUUID();
    // A new cart's first command has more to do.
    if (n >= 0) sentAt.set(key, performance.now());
    await sendOverHttp(http.commands, userId, { 'Idempotency-Key': key, Prefer: 'wait=10' });
    await delay(pauseMs);
  }
  stopping.abort();
  await Promise.all(following);
  const line = (name: string, q: number, goal?: Line['goal']): Line => ({
    ...{ load: 'streams', what: `ms until the other tabs see a change, ${name}`, figure: spread([quantile(took, q)]) },
    ...(goal === undefined ? {} : { goal }),
    from: { commands, seen: took.length },
  });
  return [line('p50', 0.5), line('p99', 0.99, { atMost: 300 })];
}

/** Reads a stream until it is stopped. */
async function readEvents(url: string, stopping: AbortSignal, onEvent: (commandId: string) => void): Promise<void> {
  try {
    const response = await fetch(url, { signal: stopping });
    let left = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = `${left}${chunk}`.split('\n\n');
      left = blocks.pop()!;
      for (const block of blocks) {
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (data !== undefined) onEvent(JSON.parse(data).commandId);
      }
    }
  } catch (error) {
    if (!stopping.aborted) throw error;
  }
}
