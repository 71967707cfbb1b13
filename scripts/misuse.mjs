// Reads a cart while nobody else is there, and then while others misuse the API, and prints how long the reads take.
// Fails where their p99 more than doubles, or one is not answered.
// Usage: npm run misuse [-- <seconds of each part>]
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startSystem } from './start-system.mjs';

const [seconds = '15'] = process.argv.slice(2);
const partMs = Number(seconds) * 1_000;
const readEveryMs = 5;

/** Sends text over a connection of its own, and waits until the connection ends, also where it is reset. */
async function sendRaw({ hostname, port }, text) {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  socket.end(text);
  await new Promise((resolve) => socket.once('close', resolve));
}

/** Keeps a connection busy with a request whose headers never end. */
async function sendSlowly({ hostname, port }, signal) {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n');
  while (!signal.aborted && !socket.destroyed) {
    socket.write('X-Slow: 1\r\n');
    await delay(1_000);
  }
  socket.destroy();
}

const post = (body, headers = '') =>
  `POST /carts/misused/items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;
const nested = post(`${'['.repeat(10_000)}`);
const manyHeaders = post('{}', `X-Large: ${'x'.repeat(1_000_000)}\r\n`);

const again = async (signal, send) => {
  while (!signal.aborted) {
    await send();
    await delay(20);
  }
};
const misuses = (address, signal) => [
  ...Array.from({ length: 500 }, () => sendSlowly(address, signal)),
  ...Array.from({ length: 4 }, () => again(signal, () => sendRaw(address, nested))),
  ...Array.from({ length: 2 }, () => again(signal, () => sendRaw(address, manyHeaders))),
];

/** @returns the milliseconds of each read, in order of size. */
async function readFor(url, ms) {
  const taken = [];
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const start = performance.now();
    const answer = await fetch(`${url}/carts/alice`);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`A read was answered ${answer.status}.`);
    taken.push(performance.now() - start);
    await delay(readEveryMs);
  }
  return taken.sort((a, b) => a - b);
}

const at = (sorted, share) => sorted[Math.ceil(share * sorted.length) - 1];
const system = await startSystem();
try {
  const report = (name, sorted) =>
    console.log(
      `${name}: ${sorted.length} reads, p50 ${at(sorted, 0.5).toFixed(1)} ms, p99 ${at(sorted, 0.99).toFixed(1)} ms, ` +
        `${system.memory()} MB`,
    );
  await readFor(system.url, 5_000);
  const alone = await readFor(system.url, partMs);
  report('alone', alone);
  const stop = new AbortController();
  const misused = misuses(new URL(system.url), stop.signal);
  await delay(1_000);
  const beside = await readFor(system.url, partMs);
  report('beside misuse', beside);
  stop.abort();
  await Promise.all(misused);
  const ratio = at(beside, 0.99) / at(alone, 0.99);
  console.log(`p99 beside ÷ alone: ${ratio.toFixed(2)}`);
  process.exitCode = ratio <= 2 ? 0 : 1;
} finally {
  await system.stop();
}
