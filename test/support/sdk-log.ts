import { DefaultLogger, Runtime } from '@temporalio/worker';
import { until } from './until';

interface LogLine {
  readonly level: string;
  /** The message and its fields. */
  readonly text: string;
}

const lines: LogLine[] = [];
/**
 * The SDK's core (1.24) logs these around a local activity; the run goes on. The first: a task or a query comes while
 * it is under way, as when Temporal took its task away because more signals came than it holds back. The second: the
 * run fails the task then, to be replayed. The third: a run leaves the cache of a worker that has none.
 */
const aroundLocalActivities = [
  /^Trying to send a new WFT for a run which already has one/,
  /^Failing workflow task .*Temporal has given the task again/,
  /^There should not be any outgoing commands or messages .* if the activation was only an eviction/,
];
const expected = [...aroundLocalActivities];
let isInstalled = false;

/**
 * Installs the SDK's runtime with a logger that stores warnings and errors, also those of the SDK's core, and prints
 * none. Only the first call in a test file has an effect. Call it before a worker is created.
 */
export function captureSdkLog(): void {
  if (isInstalled) return;
  isInstalled = true;
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    lines.push({ level, text: `${message} ${JSON.stringify(meta ?? {}, toJson)}` });
  });
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { forward: {} } } });
}

/** Waits until the SDK has logged such a line, and accepts such lines until the test file ends. */
export async function expectSdkLog(pattern: RegExp): Promise<void> {
  expected.push(pattern);
  await until(`the SDK logs ${pattern}`, async () => lines.some(({ text }) => pattern.test(text)));
}

/**
 * Fails where a workflow task has failed, or the SDK has logged an error, and no test expected it. Other warnings are
 * consequences of what tests do: a run was terminated during its task, an activity failed because Postgres could not be
 * reached.
 */
export function expectNoSdkFailure(): void {
  const isFailure = ({ level, text }: LogLine) => level === 'ERROR' || text.startsWith('Failing workflow task');
  const isExpected = ({ text }: LogLine) => expected.some((pattern) => pattern.test(text));
  expect(lines.filter((line) => isFailure(line) && !isExpected(line))).toEqual([]);
}

const toJson = (_key: string, value: unknown) =>
  value instanceof Error || typeof value === 'bigint' ? String(value) : value;
