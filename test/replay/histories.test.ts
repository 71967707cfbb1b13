import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Payload } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { deliverSignalName, parseSignal } from '../../src/contract/signals';
import type { IncomingCommand } from '../../src/domain/commands';
import { type Checkpoint, emptyCheckpoint, handleAll, type RecordedDecision } from '../../src/domain/handle';
import { payloadConverter } from '../../src/temporal/payload-converter';
import { bundleCartWorkflow } from '../../src/worker/bundle';
import { captureSdkLog } from '../support/sdk-log';

const root = path.resolve(__dirname, '../..');
const folder = path.join(root, 'test/histories');
const names = readdirSync(folder).filter((file) => file.endsWith('.json'));
const historyOf = (name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
const workflowIdOf = (history: { events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[] }) =>
  history.events[0]!.workflowExecutionStartedEventAttributes!.workflowId!;

const replay = (workflowBundle: WorkflowBundle, name: string) => {
  const history = historyOf(name);
  const options = {
    workflowBundle,
    dataConverter: { payloadConverterPath: require.resolve('../../src/temporal/payload-converter') },
  };
  return Worker.runReplayHistory(options, history, workflowIdOf(history));
};

beforeAll(captureSdkLog);

it('there is a history of every kind of run', () => {
  for (const kind of [
    'fresh',
    'checked-out',
    'rejected',
    'burst',
    'continued-as-new',
    'continued-as-new-first-run',
    'restarted',
    'repriced',
    'batched',
    'handed-over',
    'merged',
  ]) {
    expect(names).toContainEqual(expect.stringMatching(new RegExp(`^\\d+\\.\\d+\\.\\d+-${kind}\\.json$`)));
  }
});

describe('the present workflow code', () => {
  let bundle: WorkflowBundle;
  beforeAll(async () => {
    bundle = await bundleCartWorkflow();
  });

  it.each(names)('replays %s', (name) => replay(bundle, name));
});

describe('workflow code with other steps', () => {
  const temporary = mkdtempSync(path.join(tmpdir(), 'cart-other-steps-'));
  afterAll(() => rmSync(temporary, { recursive: true }));

  /** Bundles the workflow with a change of its main file. */
  const bundleWith = (name: string, change: (source: string) => string): Promise<WorkflowBundle> => {
    const source = readFileSync(path.join(root, 'workflows/cart.ts'), 'utf8');
    const changed = change(source);
    expect(changed).not.toBe(source);
    const absolute = changed.replace(/'\.\.\//g, `'${root}/`).replace(/'\.\//g, `'${root}/workflows/`);
    mkdirSync(path.join(temporary, name));
    const workflowsPath = path.join(temporary, name, 'cart.ts');
    writeFileSync(workflowsPath, absolute);
    return bundleWorkflowCode({
      workflowsPath,
      payloadConverterPath: require.resolve('../../src/temporal/payload-converter'),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, modules: [path.join(root, 'node_modules')] },
      }),
    });
  };
  const projectsAtOnce = (name: string) => JSON.stringify(historyOf(name)).includes('core_local_activity');
  const stories = names.filter((name) => /-(fresh|checked-out)\.json$/.test(name));

  describe('in another order', () => {
    let bundle: WorkflowBundle;
    beforeAll(async () => {
      bundle = await bundleWith('reordered', (source) => {
        const show = /^ {4}present\(.*\);\n/m.exec(source)![0];
        const project = /^ {4}if \(!isProjecting.*projectBatch\(\);\n/m.exec(source)![0];
        return source.replace(show, '').replace(project, project + show);
      });
    });
    it.each(stories.filter((name) => !projectsAtOnce(name)))('fails on %s', async (name) => {
      await expect(replay(bundle, name)).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
    });
  });

  describe('and no local activities', () => {
    let bundle: WorkflowBundle;
    beforeAll(async () => {
      bundle = await bundleWith('regular', (source) => source.replace('&& fitsAtOnce(decisions)', '&& false'));
    });
    it.each(stories.filter(projectsAtOnce))('fails on %s', async (name) => {
      await expect(replay(bundle, name)).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
    });
  });
});

/** The arguments of a recorded call, decoded. */
// biome-ignore lint/suspicious/noExplicitAny: recorded values of many shapes
const allOf = (payloads: any): any[] =>
  (payloads?.payloads ?? []).map((payload: Payload) => payloadConverter.fromPayload(payload));
// biome-ignore lint/suspicious/noExplicitAny: recorded values of many shapes
const firstOf = (payloads: any): any => allOf(payloads)[0];

describe('the present rules', () => {
  it.each(names)('decide the signals of %s as recorded', (name) => {
    const events = historyFromJSON(historyOf(name)).events!;
    const started = events[0]!.workflowExecutionStartedEventAttributes!;
    const carried = firstOf(started.input);
    const activityOf = (id: unknown) =>
      events.find((event) => String(event.eventId) === String(id))!.activityTaskScheduledEventAttributes!;
    const loaded = events
      .map((event) => event.activityTaskCompletedEventAttributes)
      .find((completed) => completed && activityOf(completed.scheduledEventId).activityType?.name === 'loadCheckpoint');
    const answersAtOnce = events.map((event) => firstOf(event.markerRecordedEventAttributes?.details?.result));
    const begun = carried ?? firstOf(loaded?.result) ?? answersAtOnce.find((answer) => answer?.leftBehind);
    let checkpoint: Checkpoint = begun?.checkpoint ?? begun ?? emptyCheckpoint;
    const from = checkpoint.sequence;
    const recorded = new Map<number, RecordedDecision>();
    for (const { decisions = [] } of answersAtOnce.filter(Boolean)) {
      for (const decision of decisions) recorded.set(decision.sequence, decision);
    }
    for (const event of events) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType?.name !== 'projectCart') continue;
      for (const decision of firstOf(scheduled.input).decisions) recorded.set(decision.sequence, decision);
    }
    const signalled = events
      .map((event) => event.workflowExecutionSignaledEventAttributes)
      .filter((signaled) => signaled && signaled.signalName !== deliverSignalName)
      .map((signaled) => parseSignal(signaled!.signalName!, ...allOf(signaled!.input)));
    // What a signal has beside a batch is decided one by one.
    const groups = signalled.flatMap((commands) =>
      isBatch(commands) ? [commands] : commands.map((command) => [command]),
    );
    const leftBehind: IncomingCommand[] = begun?.leftBehind?.commands ?? [];
    for (const commands of [...leftBehind.map((command) => [command]), ...groups]) {
      const known = recorded.get(checkpoint.sequence + 1);
      const step = handleAll(checkpoint, commands, {
        now: known?.decidedAt ?? '',
        runId: known?.runId ?? '',
        freshId: () => known?.command.commandId ?? 'not projected in this run',
        unprojectedCount: 0,
      });
      for (const decision of step.decisions) {
        const before = recorded.get(decision.sequence);
        if (before !== undefined) expect(comparable(decision)).toEqual(comparable(before));
      }
      checkpoint = step.checkpoint;
    }
    expect(checkpoint.sequence).toBeGreaterThanOrEqual(Math.max(from, ...recorded.keys()));
    const hasSignals = events.some((event) => event.workflowExecutionSignaledEventAttributes);
    expect(recorded.size > 0).toBe(hasSignals || (carried?.unprojected.length ?? 0) > 0);
  });
});

const isBatch = ([first]: readonly IncomingCommand[]): boolean =>
  first !== undefined && 'batch' in first && first.batch !== undefined;

/** A workflow cannot read a reserved signal name (workflows/inbox.ts). It records only that the name was reserved. */
function comparable(decision: RecordedDecision) {
  const isReserved =
    decision.command.type.startsWith('__temporal_') || decision.command.type === 'a reserved signal name';
  return isReserved ? { sequence: decision.sequence, outcome: decision.outcome } : decision;
}
