import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { userIdOf } from '../contract/ids';
import { cartWorkflowType } from '../contract/workflow';
import { type DecisionRef, refOf } from '../domain/handle';
import { findArchived, userOfArchived } from '../postgres/archive';
import { readAllRefs } from '../postgres/log/recorded';
import { sampleOf } from '../recovery/sample';
import { sweepClosedRuns } from '../temporal/histories/archive-runs';
import { decisionsIn, nameOf } from '../temporal/histories/decisions';
import {
  type CartRun,
  type HistorySource,
  listRuns,
  listUsers,
  readRun,
  readRuns,
} from '../temporal/histories/histories';
import { endOf } from '../temporal/histories/runs';
import type { OpsContext, RegisterOp } from './context';
import { examples, parseId } from './options';
import { asTable } from './table';

/** A run, and the user whose cart it belongs to. */
export interface RunOfUser {
  readonly userId: string;
  readonly run: CartRun;
}

/**
 * Reads the runs of one user's cart, of a random sample of all carts, or of all carts, each only when it is needed.
 * @param sample the number of carts in the sample.
 */
export async function* runsOf(source: HistorySource, user?: string, sample?: number): AsyncGenerator<RunOfUser> {
  const users = user === undefined ? listUsers(source) : [user];
  for await (const userId of sample === undefined ? users : sampleOf(users, sample)) {
    for (const info of await listRuns(source, userId)) {
      const run = await readRun(source, userId, info);
      if (run !== undefined) yield { userId, run };
    }
  }
}

/** `ops histories`: list, export and archive the histories of the carts' runs. */
export const registerHistories: RegisterOp = (program, run) => {
  const histories = program.command('histories').description("the histories of the carts' runs");
  histories
    .command('list')
    .description("list a cart's runs in Temporal and in the archive, oldest first")
    .requiredOption('--user <userId>', 'the user of the cart', parseId)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('histories list --user alice'))
    .action((options) => run((context) => list(context, options)));
  histories
    .command('export')
    .description('write histories to files, as JSON in the format of `temporal workflow show -o json`')
    .requiredOption('--out <folder>', 'the folder for the files; it is created if it does not exist')
    .option('--user <userId>', 'only this cart', parseId)
    .option('--run <runId>', 'only this run', parseId)
    .addHelpText('after', examples('histories export --user alice --out alice', 'histories export --out histories'))
    .action((options) => run((context) => exportHistories(context, options)));
  histories
    .command('sweep')
    .description('archive all closed runs that are not in the archive yet; the worker does the same every hour')
    .addHelpText('after', examples('histories sweep'))
    .action(() => run(sweep));
};

async function list(context: OpsContext, { user, json }: { user: string; json?: boolean }): Promise<number> {
  const runs = await readRuns(await context.histories(), user);
  const runIds = runs.map((run) => run.runId);
  const archived = await findArchived(context.db, runIds);
  const recorded = new Set((await readAllRefs(context.db, user)).map(nameOf));
  const rows = runs.map((run) => ({ ...summaryOf(run, recorded), isArchived: archived.has(run.runId) }));
  const fields = ['runId', 'startedAt', 'ended', 'isArchived', 'source', 'events', 'decisions', 'branch'] as const;
  if (json) context.print(JSON.stringify(rows, undefined, 2));
  else context.print(asTable(rows, fields) || noHistoryOf(user));
  return 0;
}

/** `branch`: the decisions of the run that are not on record, because the record has gone another way. */
function summaryOf({ history, ...run }: CartRun, recorded: ReadonlySet<string>) {
  const decisions = decisionsIn(history).map(({ decision }) => refOf(decision));
  return {
    ...run,
    ended: endOf(history)?.closedAs ?? 'open',
    events: history.events?.length ?? 0,
    decisions: rangeOf(decisions),
    branch: rangeOf(decisions.filter((ref) => !recorded.has(nameOf(ref)))),
  };
}

const rangeOf = (refs: readonly DecisionRef[]): string =>
  refs.length > 0 ? `${refs[0]!.sequence}–${refs.at(-1)!.sequence}` : 'none';

interface RunSelection {
  readonly user?: string;
  readonly run?: string;
}

async function exportHistories(
  context: OpsContext,
  { out, ...selection }: RunSelection & { out: string },
): Promise<number> {
  const source = await context.histories();
  const folder = path.resolve(out);
  await mkdir(folder, { recursive: true });
  const progress = context.startProgress('histories written');
  let written = 0;
  for await (const { userId, run } of selectRuns(source, selection)) {
    await writeFile(path.join(folder, fileName(userId, run.runId)), `${historyToJSON(run.history)}\n`);
    written += 1;
    progress.set(written);
  }
  await progress.stop(`${written} written`);
  const selectedId = selection.run ?? selection.user;
  if (written === 0 && selectedId !== undefined) throw new Error(noHistoryOf(selectedId));
  context.print(`${written} ${written === 1 ? 'history' : 'histories'} written to ${folder}`);
  return 0;
}

/** An encoded user id can be longer than file systems allow. The run's id alone makes the name unique. */
const fileName = (userId: string, runId: string): string =>
  `${encodeURIComponent(userId).slice(0, 180)}-${encodeURIComponent(runId)}.json`;

async function* selectRuns(source: HistorySource, { user, run: runId }: RunSelection): AsyncGenerator<RunOfUser> {
  if (runId === undefined) return yield* runsOf(source, user);
  const userId = user ?? (await userOfRun(source, runId));
  if (userId === undefined) return;
  const info = (await listRuns(source, userId)).find((each) => each.runId === runId);
  const run = info && (await readRun(source, userId, info));
  if (run !== undefined) yield { userId, run };
}

async function userOfRun({ client, db }: HistorySource, runId: string): Promise<string | undefined> {
  const query = `WorkflowType = '${cartWorkflowType}' and RunId = '${runId}'`;
  for await (const { workflowId } of client.workflow.list({ query })) return userIdOf(workflowId);
  return userOfArchived(db, runId);
}

async function sweep(context: OpsContext): Promise<number> {
  const archived = await sweepClosedRuns(await context.histories());
  context.print(`${archived} closed ${archived === 1 ? 'run' : 'runs'} archived`);
  return 0;
}

/** The message for a user or a run without a history. */
export const noHistoryOf = (id: string): string => `Neither Temporal nor the archive has a history of ${id}.`;
