import { createServer } from 'node:net';
import { createRandom } from '../random';

// A program: it listens on ports of all kinds and gives them back after a while, so that a port that was free a moment
// ago may no longer be. Its arguments are the folder of the run, the seed, and the ports that it leaves alone.

const everyMs = 5;
const heldMs = 2_000;

const [, , , seed, ...sparedPorts] = process.argv;
const spared = new Set(sparedPorts.map(Number));
const random = createRandom(Number(seed), 'port grabber');

function grab(port: number): void {
  const server = createServer();
  // The port of somebody else.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1', () => setTimeout(() => server.close(), heldMs));
}

setInterval(() => {
  const port = random.int(10_000, 31_999);
  if (!spared.has(port)) grab(port);
  // One of those that the system gives to whoever asks for any port.
  grab(0);
}, everyMs);
