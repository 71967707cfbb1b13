import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { explain } from '../../torture/report/text';
import { runTorture } from '../../torture/run';

const root = path.resolve(__dirname, '../..');
const build = path.join(root, '.tmp', `torture-build-${process.pid}`);
const out = path.join(root, '.tmp', `torture-test-${process.pid}`);

/** Of every kind some; `npm run torture -- --faults list` prints all that there are. */
const faults = [
  'kill-commands',
  'stop-every-worker',
  'kill-postgres',
  'kill-temporal',
  'half-open-worker-postgres',
  'duplicate-sends',
  'reused-keys',
  'signal-with-two-inputs',
  'poison-signals',
  'cancel',
  'reset-random',
  'terminate',
];

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));

beforeAll(() => {
  const compiler = require.resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', build], { cwd: root });
}, 120_000);

let isReportNeeded = true;
afterAll(() => {
  rmSync(build, { recursive: true, force: true });
  if (!isReportNeeded) rmSync(out, { recursive: true, force: true });
});

describe('a torture run of about a minute', () => {
  it(`loses, doubles and misreads nothing, and keeps what works while something is down (SEED=${seed})`, async () => {
    const lines: string[] = [];
    const { report, violations } = await runTorture({
      ...{ seed, minutes: 0.5, clients: 6, carts: 8, faults, each: 1, out, build },
      log: (line) => lines.push(line),
    });
    const notInjected = faults.filter((fault) => (report.faults[fault]?.injected ?? 0) === 0);
    const problems = [
      ...explain(report, violations),
      ...notInjected.map((fault) => `${fault} was not injected`),
      ...(report.results.ok < 300 ? [`only ${report.results.ok} operations were answered`] : []),
    ];
    if (problems.length > 0) throw new Error([...problems, `The report is in ${out}`, ...lines].join('\n'));
    isReportNeeded = false;
  }, 300_000);
});
