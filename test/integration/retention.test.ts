import { randomInt, randomUUID } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import { cartWorkflowId } from '../../src/contract/ids';
import { healAll } from '../../src/recovery/heal-all';
import { rebuildAll } from '../../src/recovery/rebuild';
import { verifyCart } from '../../src/recovery/verify';
import { sweepClosedRuns } from '../../src/temporal/histories/archive-runs';
import { decisionsIn } from '../../src/temporal/histories/decisions';
import { decisiveEventsOf, fetchDecisiveEvents } from '../../src/temporal/histories/decisive-events';
import { type HistorySource, readRuns } from '../../src/temporal/histories/histories';
import { readDecisions, readHistoryRecord } from '../../src/temporal/histories/read-decisions';
import { readModelText } from '../support/model-tables';
import { replayCart } from '../support/replay';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const { History: HistoryMessage, HistoryEvent } = temporal.api.history.v1;
const wait = { Prefer: 'wait=30' };
const longCart = newUser('long');
const waves = 2;
const signalsPerWave = 2_050;

let world: World;
let source: HistorySource;
beforeAll(async () => {
  world = await openWorld();
  source = { client: world.client, db: world.db };
  await fillLongCart();
  await fillShortCarts();
});
afterAll(() => world.close());

/** Sends signals in waves; each wave makes the cart continue as new. */
async function fillLongCart(): Promise<void> {
  const envelope = () => ({ commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: 'user:test' });
  const item = { name: 'Thing', unitPrice: 250, currency: 'EUR', quantity: 1 };
  for (let wave = 1; wave <= waves; wave += 1) {
    await Promise.all(
      Array.from({ length: signalsPerWave }, (_, index) => {
        const productId = `p${randomInt(30)}`;
        return index % 4 === 0
          ? world.signal(longCart, 'removeItem', { ...envelope(), productId })
          : world.signal(longCart, 'addItem', { ...envelope(), ...item, productId });
      }),
    );
    await until('the wave is decided', async () => {
      const row = await world.db('carts').where({ user_id: longCart }).first('sequence');
      return row?.sequence === wave * signalsPerWave;
    });
    await until('the previous run is archived', async () => {
      const runs = await world.db('cart_histories').where({ user_id: longCart });
      return runs.length === wave;
    });
  }
}

/** Fills one cart with two chains, and one cart that stays in its first run. */
async function fillShortCarts(): Promise<void> {
  for (const user of [newUser('ended'), newUser('plain')]) {
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    if (user.startsWith('ended')) await world.client.workflow.getHandle(cartWorkflowId(user)).terminate('test');
    await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
    await world.request('POST', `/carts/${user}/checkout`, undefined, wait);
  }
}

const users = async (): Promise<string[]> => world.db('carts').orderBy('user_id').pluck('user_id');
const closedRuns = async (): Promise<{ workflowId: string; runId: string }[]> => {
  const runs: { workflowId: string; runId: string }[] = [];
  for (const user of await users()) {
    const query = `WorkflowId = '${cartWorkflowId(user)}' and ExecutionStatus != 'Running'`;
    for await (const { workflowId, runId } of world.client.workflow.list({ query })) runs.push({ workflowId, runId });
  }
  return runs;
};
const verifyAll = async () =>
  Promise.all((await users()).map(async (user) => verifyCart(world.db, user, await readHistoryRecord(source, user))));

describe('the decisive events of a history', () => {
  it('equal those events of the whole history, over all pages', async () => {
    const decisive =
      /^(workflowExecution(Started|Completed|Failed|TimedOut|Canceled|Terminated|ContinuedAsNew)|activityTask(Scheduled|Completed)|markerRecorded|workflowTaskFailed)EventAttributes$/;
    for (const { runId, history } of await readRuns(source, longCart)) {
      const { events } = HistoryMessage.create(
        (await fetchDecisiveEvents(world.client, cartWorkflowId(longCart), runId))!,
      );
      const whole = history.events!.filter((event) => decisive.test(HistoryEvent.create(event).attributes!));
      expect(events).toHaveLength(whole.length);
      expect(events.map((event) => HistoryEvent.toObject(event as temporal.api.history.v1.HistoryEvent))).toEqual(
        whole.map((event) => HistoryEvent.toObject(event as temporal.api.history.v1.HistoryEvent)),
      );
      expect(decisiveEventsOf(HistoryMessage.encode(history).finish()).events).toHaveLength(whole.length);
    }
  });

  it('are undefined where Temporal has no such run', async () => {
    expect(await fetchDecisiveEvents(world.client, cartWorkflowId('nobody'))).toBeUndefined();
    expect(await fetchDecisiveEvents(world.client, cartWorkflowId(longCart), randomUUID())).toBeUndefined();
  });
});

describe('when Temporal has deleted every closed run', () => {
  const histories = new Map<string, unknown>();

  beforeAll(async () => {
    // The newest run of a chain archives the run before it; the sweep archives the last run of an ended chain.
    await until('the closed runs are listed', async () => (await closedRuns()).length >= 3);
    for (const { workflowId, runId } of await closedRuns()) {
      histories.set(runId, decisionsIn(await world.client.workflow.getHandle(workflowId, runId).fetchHistory()));
    }
    await sweepClosedRuns(source);
    for (const workflowExecution of await closedRuns()) {
      await world.client.workflowService.deleteWorkflowExecution({ namespace: world.namespace, workflowExecution });
    }
    await until('the closed runs are deleted', async () => (await closedRuns()).length === 0);
  });

  it('the archive still contains every decision, exactly once and in order', async () => {
    expect(histories.size).toBeGreaterThanOrEqual(3);
    const runs = await readRuns(source, longCart);
    expect(runs.map((run) => run.source)).toEqual([...runs.slice(1).map(() => 'archive'), 'temporal']);
    for (const run of runs.slice(0, -1)) expect(decisionsIn(run.history)).toEqual(histories.get(run.runId));
    const decisions = await readDecisions(source, longCart);
    expect(decisions.map((decision) => decision.sequence)).toEqual(decisions.map((_, index) => index + 1));
    expect(decisions).toHaveLength(waves * signalsPerWave);
  });

  it('verify finds nothing wrong and compares every decision with a history', async () => {
    for (const { findings, decisions, inHistories } of await verifyAll()) {
      expect({ findings, inHistories }).toEqual({ findings: [], inHistories: decisions });
    }
  });

  it('every archived run can be replayed', async () => {
    for (const user of await users()) {
      for (const { history, runId } of await readRuns(source, user)) {
        await replayCart(user, history).catch((error) => {
          throw new Error(`run ${runId} of ${user}: ${error.message}`);
        });
      }
    }
  });

  it('a read model whose tables were dropped is rebuilt byte for byte', async () => {
    const before = await readModelText(world.db);
    await world.db.raw('drop table cart_item_history, cart_items, carts');
    await rebuildAll(world.db, () => {});
    expect(await readModelText(world.db)).toEqual(before);
  });

  it('a database that lost its whole log is restored byte for byte from Temporal and the archive', async () => {
    const before = await readModelText(world.db);
    const log = async () => ({
      commands: await world.db('cart_commands').orderBy(['user_id', 'sequence']),
      events: await world.db('cart_events').orderBy(['user_id', 'version']),
    });
    const logBefore = await log();
    await world.db.transaction(async (trx) => {
      await trx.raw("set local session_replication_role = 'replica'");
      await trx.raw('truncate cart_commands, cart_events, carts, cart_items, cart_item_history');
    });
    const result = await healAll(source, () => {});
    expect(result.failed).toEqual([]);
    expect(await log()).toEqual(logBefore);
    expect(await readModelText(world.db)).toEqual(before);
  });
});
