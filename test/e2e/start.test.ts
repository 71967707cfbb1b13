import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CartClientOptions, createCartClient } from '../../client/src/index';
import { assertPortFree, freePort } from '../../src/embedded/ports';
import { compile } from '../support/compile';
import { sendUntilClosed } from '../support/kept-alive';
import { until } from '../support/until';

const root = path.resolve(__dirname, '../..');
const dataDir = mkdtempSync(path.join(tmpdir(), 'cart-start-'));

interface Running {
  readonly url: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly output: () => string;
  /** Makes a token as `npm run token` does. */
  token(...options: string[]): string;
  /** @returns the exit code. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

let build: string;
let running: Running | undefined;

/** Starts everything as `npm start` does, on free ports and in its own folder, and resolves when it is ready. */
async function start(): Promise<Running> {
  const ports = {
    PORT: await freePort(),
    TEMPORAL_PORT: await freePort(),
    TEMPORAL_UI_PORT: await freePort(),
    POSTGRES_PORT: await freePort(),
  };
  const settings = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const child = spawn(process.execPath, [path.join(build, 'src/main.js')], {
    env: { ...process.env, ...settings, CART_DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const url = `http://127.0.0.1:${ports.PORT}`;
  const started: Running = {
    url,
    ports,
    output: () => output,
    token: (...options) =>
      execFileSync(process.execPath, [path.join(build, 'src/main-token.js'), ...options], {
        env: { ...process.env, CART_DATA_DIR: dataDir },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim(),
    async kill(signal) {
      const exit = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill(signal);
      await exit;
      if (running === started) running = undefined;
      return child.exitCode;
    },
  };
  await until(
    () => `it is ready\n${output}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`It ended:\n${output}`);
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      return answer?.status === 200;
    },
  );
  running = started;
  return started;
}

async function allEvents(
  url: string,
  headers: Record<string, string>,
): Promise<{ commandId: string; version: number }[]> {
  const events: { commandId: string; version: number }[] = [];
  for (let next: string | undefined = '/carts/bob/events?limit=500'; next; ) {
    const page = (await (await fetch(`${url}${next}`, { headers })).json()) as { events: typeof events; next?: string };
    events.push(...page.events);
    next = page.next;
  }
  return events;
}

/** The curl lines of the README, as requests, and the options for the token that they send. */
function readmeRequests() {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const story = /<!-- story -->\s*```sh\n(.*?)```/s.exec(readme)![1]!;
  const tokenOptions = /^TOKEN=\$\(npm run --silent token -- (.*)\)$/m.exec(story)![1]!.split(' ');
  const requests = (token: string) =>
    story
      .replace(/\\\n\s*/g, ' ')
      .replaceAll('$TOKEN', token)
      .split('\n')
      .filter((line) => line.startsWith('curl '))
      .map((line) => {
        const words = [...line.matchAll(/(['"])(.*?)\1|(\S+)/g)].map(([, , quoted, bare]) => quoted ?? bare!);
        const after = (flag: string) => words.filter((_, index) => words[index - 1] === flag);
        const target = words.find((word) => word.startsWith('localhost:3000'))!;
        return {
          line,
          path: target.slice('localhost:3000'.length),
          init: {
            method: after('-X')[0] ?? (after('-d')[0] ? 'POST' : 'GET'),
            headers: Object.fromEntries(after('-H').map((header) => header.split(': ') as [string, string])),
            ...(after('-d')[0] === undefined ? {} : { body: after('-d')[0]! }),
          },
        };
      });
  return { tokenOptions, requests };
}

/** Runs the client of the README against this address. @returns what it prints. */
async function runReadmeClient(url: string): Promise<string[]> {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const code = /<!-- client -->\s*```ts\nimport .*?;\n(.*?)```/s.exec(readme)![1]!;
  const printed: string[] = [];
  const console = { log: (...words: unknown[]) => printed.push(words.join(' ')) };
  const run = new Function('createCartClient', 'console', `return (async () => {${code}})()`);
  await run((options: CartClientOptions) => createCartClient({ ...options, baseUrl: url }), console);
  return printed;
}

beforeAll(() => {
  build = compile('start');
});
afterAll(async () => {
  await running?.kill('SIGTERM');
  rmSync(build, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
});

describe('npm start', () => {
  let asBob: Record<string, string>;
  const post = (url: string, key: string, productId = 'mug') =>
    fetch(`${url}/carts/bob/items`, {
      method: 'POST',
      headers: { ...asBob, 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ productId }),
    });

  it('prints the addresses of the pages, the API and the Web UI, and a curl line to try', async () => {
    const { output, url, token } = await start();
    asBob = { Authorization: `Bearer ${token('--user', 'bob')}` };
    await until('it has printed all lines', async () => output().includes('curl -X POST'));
    expect(output()).toContain(`API      ${url}`);
    const page = await fetch(`${url}/`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Event-sourced cart')]);
    const webUi = /Web UI {3}(\S+)/.exec(output())![1]!;
    expect((await fetch(webUi)).status).toBe(200);
  });

  it('answers every request of the README with success', async () => {
    const { url, token } = running!;
    const story = readmeRequests();
    const requests = story.requests(token(...story.tokenOptions));
    expect(requests.length).toBeGreaterThanOrEqual(5);
    for (const { line, path: target, init } of requests) {
      const answer = await fetch(`${url}${target}`, init);
      expect({ line, isFine: answer.ok }).toEqual({ line, isFine: true });
    }
  });

  it('has a worker that reports how far it is behind', async () => {
    const { url, token } = running!;
    const headers = { Authorization: `Bearer ${token('--scope', 'reports:read')}` };
    const { workers } = await until('it has projected', async () => {
      const now = (await (await fetch(`${url}/operations`, { headers })).json()) as {
        workers: { projected: number; medianLagMs: number; maxLagMs: number }[];
      };
      return now.workers.some(({ projected }) => projected > 0) && now;
    });
    expect(workers[0]!.medianLagMs).toBeLessThanOrEqual(workers[0]!.maxLagMs);
  });

  it('does what the client of the README asks for', async () => {
    expect(await runReadmeClient(running!.url)).toEqual(['applied 3', 'ItemAdded', 'ItemQuantityChanged']);
  });

  it('loses no acknowledged command and applies none twice when it is killed while it receives commands', async () => {
    const acknowledged: string[] = [];
    const sent: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { url, kill } = running ?? (await start());
      let isOver = false;
      const sending = Array.from({ length: 8 }, async (_, lane) => {
        for (let index = 0; !isOver; index += 1) {
          const key = `r${round}-${lane}-${index}`;
          sent.push(key);
          const answer = await post(url, key).catch(() => undefined);
          if (answer?.status === 202) acknowledged.push(key);
        }
      });
      await until('some are acknowledged', async () => acknowledged.length > (round + 1) * 20);
      await kill('SIGKILL');
      isOver = true;
      await Promise.all(sending);
    }
    const { url } = await start();
    for (const key of acknowledged) {
      const answer = await until(`the outcome of ${key} is known`, async () => {
        const found = await fetch(`${url}/carts/bob/commands/${key}`, { headers: asBob });
        return found.status === 200 && found.json();
      });
      expect(answer).toMatchObject({ status: 'applied' });
    }
    for (const key of acknowledged.slice(-5)) await post(url, key);
    const last = await fetch(`${url}/carts/bob/items/mug`, {
      method: 'DELETE',
      headers: { ...asBob, Prefer: 'wait=20' },
    });
    const { version } = (await last.json()) as { version: number };
    const events = await allEvents(url, asBob);
    expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
    expect(events).toHaveLength(version);
    const keys = events.map((event) => event.commandId).slice(0, -1);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => !sent.includes(key))).toEqual([]);
    expect(acknowledged.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('knows a guest by the token that npm run token prints, and nobody without one', async () => {
    const { url, token } = running!;
    const cartToken = token('--guest');
    const { sub: guest } = JSON.parse(Buffer.from(cartToken.split('.')[1]!, 'base64url').toString());
    expect((await fetch(`${url}/carts/${guest}`, { headers: { 'Cart-Token': cartToken } })).status).toBe(200);
    expect((await fetch(`${url}/carts/bob`, { headers: { 'Cart-Token': cartToken } })).status).toBe(404);
    expect((await fetch(`${url}/carts/bob`)).status).toBe(401);
    const forBob = token('--scope', 'carts:act', '--on-behalf-of', 'bob', '--subject', 'helper');
    expect((await fetch(`${url}/carts/bob`, { headers: { Authorization: `Bearer ${forBob}` } })).status).toBe(200);
  });

  it('rejects a second start on the same data, with the reason', async () => {
    await expect(start()).rejects.toThrow(/another instance|uses/i);
  });

  it('stops everything it started on SIGINT, under load, in time', async () => {
    const { url, ports, kill, output, token } = running ?? (await start());
    const ofStaff = token('--scope', 'carts:write');
    let answered = 0;
    const clients = Array.from({ length: 10 }, (_, number) =>
      sendUntilClosed(
        url,
        (client) =>
          client.send('POST', `/carts/user-${number}/items`, {
            body: { productId: 'mug' },
            prefer: 'wait=20',
            token: ofStaff,
          }),
        () => {
          answered += 1;
        },
      ),
    );
    await until('requests are answered', async () => answered > 20);
    expect(await kill('SIGINT')).toBe(0);
    expect(output()).not.toContain('Not everything was closed');
    await Promise.all(clients);
    for (const [variable, port] of Object.entries(ports)) await assertPortFree(variable, port);
  });
});
