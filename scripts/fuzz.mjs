// Sends random requests to every route of a running system, as the description of its API allows and forbids them, and
// fails where the server fails or gives an answer that the description does not have.
// Usage: npm run fuzz [-- <cases of each route> [<seed>]]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const schemathesis = 'schemathesis==4.32.5';
const [cases = '900', seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
const fuzzers = 4;
const folder = path.resolve('.tmp/fuzz');
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];

function install() {
  const python = path.join(folder, 'venv/bin/python');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(python)) run('python3', ['-m', 'venv', path.join(folder, 'venv')]);
  run(python, ['-m', 'pip', 'install', '--quiet', schemathesis]);
  return path.join(folder, 'venv/bin/schemathesis');
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}.`);
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Megabytes of memory that a process uses. */
const memoryOf = ({ pid }) => Math.round(Number(spawnSync('ps', ['-o', 'rss=', '-p', pid]).stdout) / 1024);

async function untilReady(url, system) {
  while (system.exitCode === null) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(250);
  }
  throw new Error(`The system ended with ${system.exitCode} while it started.`);
}

/** Runs a fuzzer, which waits for one answer at a time. Threads within one end with errors of Python's parser. */
async function fuzz(program, url, number) {
  const fuzzer = spawn(
    program,
    [
      ...['run', `${url}/openapi.json`, '--checks', checks.join(), '--seed', String(Number(seed) + number)],
      ...['--max-examples', String(Math.ceil(Number(cases) / fuzzers)), '--phases', 'examples,coverage,fuzzing'],
      ...['--continue-on-failure', '--no-shrink', '--suppress-health-check', 'all', '--warnings', 'off'],
      ...['--request-timeout', '40', '--no-color'],
    ],
    { stdio: 'inherit' },
  );
  const [code] = await once(fuzzer, 'exit');
  return code;
}

const program = install();
const dataDir = mkdtempSync(path.join(tmpdir(), 'cart-fuzz-'));
const [PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT] = await freePorts(4);
const own = { PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT, CART_DATA_DIR: dataDir, AUTH: 'off' };
const system = spawn('node', ['dist/src/main.js'], {
  env: { ...process.env, ...own, LOG_LEVEL: 'error' },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const ended = once(system, 'exit');
const samples = [];
try {
  const url = `http://127.0.0.1:${PORT}`;
  await untilReady(url, system);
  console.log(`seed ${seed}, ${cases} cases of each route`);
  const sampling = setInterval(() => samples.push(memoryOf(system)), 5_000);
  const codes = await Promise.all(Array.from({ length: fuzzers }, (_, number) => fuzz(program, url, number)));
  clearInterval(sampling);
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
  const quarter = Math.ceil(samples.length / 4);
  console.log(
    `memory in MB, each quarter's largest: ${[0, 1, 2, 3].map((part) => Math.max(...samples.slice(part * quarter, (part + 1) * quarter)))}`,
  );
} finally {
  system.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}
