import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runTorture } from '../../torture/run';

const root = path.resolve(__dirname, '../..');
const build = path.join(root, '.tmp', `torture-${process.pid}`);
const out = mkdtempSync(path.join(tmpdir(), 'cart-torture-report-'));

/** Faults under which the cart holds, each injected once. `npm run torture -- --faults list` prints all of them. */
const faults = [
  'kill-commands',
  'kill-queries',
  'kill-every-worker',
  'pause-worker',
  'kill-postgres',
  'readonly-postgres',
  'kill-temporal',
  'pause-temporal',
  'cut-worker-postgres',
  'half-open-commands-temporal',
  'duplicate-sends',
  'late-retries',
  'reordered-sends',
  'poison-signals',
  'signal-by-hand',
  'cancel',
];

/**
 * Violations that the cart is known for. Remove a kind when it is mended. `failed-but-applied`: a command that waits is
 * answered with 503 `database_unavailable` where Postgres ends between its projection and the read of the cart.
 */
const knownViolations = ['failed-but-applied'];

const seed = Number(process.env.SEED ?? 20_301);

beforeAll(() => {
  const compiler = require.resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', build], { cwd: root });
}, 120_000);
afterAll(() => {
  rmSync(build, { recursive: true, force: true });
  rmSync(out, { recursive: true, force: true });
});

describe('a torture run of about a minute', () => {
  const lines: string[] = [];

  it(`loses nothing, doubles nothing and answers nothing that its events do not explain (SEED=${seed})`, async () => {
    const report = await runTorture({
      ...{ seed, minutes: 0.5, clients: 5, carts: 6, faults, isEachOnce: true, out, build },
      log: (line) => lines.push(line),
    });
    const violations = Object.keys(report.violations).filter((kind) => !knownViolations.includes(kind));
    expect({ violations, isQuiet: report.isQuiet, lines }).toMatchObject({
      violations: [],
      isQuiet: true,
    });
    const notInjected = faults.filter((fault) => (report.faults[fault]?.injected ?? 0) === 0);
    expect({ notInjected, lines }).toMatchObject({ notInjected: [] });
    expect(report.results.ok).toBeGreaterThan(300);
  }, 600_000);
});
