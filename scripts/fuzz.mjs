// Sends random requests to every route of a running system, as the description of its API allows and forbids them, and
// fails where the server fails or gives an answer that the description does not have.
// Usage: npm run fuzz [-- <cases of each route> [<seed>]]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { startSystem } from './start-system.mjs';

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

/** Runs a fuzzer, which waits for one answer at a time. Threads within one end with errors of Python's parser. */
async function fuzz(program, url, number) {
  const fuzzer = spawn(
    program,
    [
      ...['run', `${url}/openapi.json`, '--checks', checks.join(), '--seed', String(Number(seed) + number)],
      ...['--max-examples', String(Math.ceil(Number(cases) / fuzzers)), '--phases', 'examples,coverage,fuzzing'],
      ...['--continue-on-failure', '--no-shrink', '--suppress-health-check', 'all', '--warnings', 'off'],
      // Its answers have no end.
      ...['--exclude-operation-id', 'streamEvents'],
      ...['--request-timeout', '40', '--no-color'],
    ],
    { stdio: 'inherit' },
  );
  const [code] = await once(fuzzer, 'exit');
  return code;
}

const program = install();
const system = await startSystem();
const samples = [];
try {
  console.log(`seed ${seed}, ${cases} cases of each route`);
  const sampling = setInterval(() => samples.push(system.memory()), 5_000);
  const codes = await Promise.all(Array.from({ length: fuzzers }, (_, number) => fuzz(program, system.url, number)));
  clearInterval(sampling);
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
  const quarter = Math.ceil(samples.length / 4);
  const largest = [0, 1, 2, 3].map((part) => Math.max(...samples.slice(part * quarter, (part + 1) * quarter)));
  console.log(`memory in MB, the largest of each quarter: ${largest}`);
} finally {
  await system.stop();
}
