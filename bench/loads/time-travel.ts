import { randomInt, randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../../src/contract/ids';
import { ask } from '../http';
import { products } from '../lines';
import { alternate, median, ratios, runAtOnce, type Scale, spread, until } from '../measure';
import { ModelCart, type ModelCommand, type ModelLine } from '../model';
import type { Line } from '../report';
import type { Setup } from '../setup';
import { oldCarts } from './past';

/** Reads of the past: what they cost, and whether they are right. */
export async function timeTravel(setup: Setup, scale: Scale): Promise<Line[]> {
  return [...(await costs(setup, scale)), await comparison(setup, scale)];
}

/** The cart at a version and at an instant, of carts with few and with many events, compared with the cart now. */
async function costs(setup: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  for (const cart of await oldCarts(setup.db, [10, 1_000, 10_000])) {
    const p50 = (query: () => string) => async () =>
      median(await runAtOnce(of(1_000), 1, () => ask(setup.http.queries, 'GET', `/carts/${cart.userId}${query()}`)));
    const contestants = {
      now: p50(() => ''),
      version: p50(() => `?version=${1 + randomInt(cart.events)}`),
      instant: p50(() => `?at=${new Date(cart.from + randomInt(cart.to - cart.from)).toISOString()}`),
    };
    for (const warmUp of Object.values(contestants)) await warmUp();
    const figures = await alternate(rounds, contestants);
    for (const [parameter, past] of [
      ['?version=', figures.version],
      ['?at=', figures.instant],
    ] as const) {
      const hasGoal = parameter === '?version=' && cart.events === 10_000;
      lines.push({
        load: `time travel, ${cart.events} events`,
        what: `p50 of ${parameter} ÷ p50 of the cart now`,
        figure: spread(ratios(past, figures.now)),
        ...(hasGoal ? { goal: { atMost: 1.3 } } : {}),
        from: { 'past ms': median(past), 'now ms': median(figures.now) },
      });
    }
  }
  return lines;
}

/** A cart of the model after one of its events. */
interface PastState {
  readonly version: number;
  readonly at: string;
  readonly lines: readonly ModelLine[];
}

/** Compares a cart with the model at random versions and random instants. The cart gets its commands over HTTP. */
async function comparison(setup: Setup, { of }: Scale): Promise<Line> {
  const user = `compared-${randomUUID()}`;
  const sent = await sendRandomCommands(setup, user, Math.max(100, of(10_000)));
  const states = await replayOnModel(setup, user, sent);
  const samples = of(500);
  let different = 0;
  const compare = async (query: string, expected: PastState) => {
    const { body } = await ask(setup.http.queries, 'GET', `/carts/${user}?${query}`);
    const { version, items } = JSON.parse(body) as { version: number; items: ModelLine[] };
    const lines = items.map(({ productId, quantity }) => ({ productId, quantity }));
    const isEqual = version === expected.version && JSON.stringify(lines) === JSON.stringify(expected.lines);
    if (!isEqual) different += 1;
  };
  await runAtOnce(samples, 8, async () => {
    const expected = states[randomInt(states.length)]!;
    await compare(`version=${expected.version}`, expected);
  });
  const [first, last] = [Date.parse(states[1]!.at), Date.parse(states.at(-1)!.at)];
  await runAtOnce(samples, 8, async () => {
    const at = new Date(first + randomInt(last - first + 1)).toISOString();
    await compare(`at=${at}`, states.findLast((state) => state.at <= at)!);
  });
  return {
    load: 'time travel, compared with a model',
    what: 'past carts that differ',
    figure: spread([different]),
    goal: { atMost: 0 },
    from: { events: states.length - 1, runs: await countRuns(setup, user), versions: samples, instants: samples },
  };
}

/** Sends random commands to one cart, and waits until they are projected. @returns them by their ids. */
async function sendRandomCommands(setup: Setup, user: string, count: number): Promise<Map<string, ModelCommand>> {
  const sent = new Map<string, ModelCommand>();
  await runAtOnce(count, 32, async () => {
    const commandId = randomUUID();
    const command = randomCommand();
    sent.set(commandId, command);
    await send(setup, user, commandId, command);
  });
  await until('all commands are projected', async () => (await setup.designs.cart.projected(user)) >= count);
  return sent;
}

function randomCommand(): ModelCommand {
  const { productId } = products[randomInt(products.length)]!;
  const kind = randomInt(10) === 0 ? 'remove' : randomInt(2) === 0 ? 'change' : 'add';
  if (kind === 'remove') return { kind, productId };
  return { kind, productId, quantity: kind === 'add' ? 1 : 1 + randomInt(999) };
}

function send({ http }: Setup, user: string, commandId: string, command: ModelCommand): Promise<unknown> {
  const headers = { 'Idempotency-Key': commandId };
  const items = `/carts/${user}/items`;
  const { kind, productId } = command;
  if (kind === 'remove') return ask(http.commands, 'DELETE', `${items}/${productId}`, undefined, headers);
  const { quantity } = command;
  return kind === 'add'
    ? ask(http.commands, 'POST', items, { productId, quantity }, headers)
    : ask(http.commands, 'PUT', `${items}/${productId}`, { quantity }, headers);
}

/** The model's cart at every version. It runs the sent commands in the order in which the cart decided them. */
async function replayOnModel(
  { db }: Setup,
  user: string,
  sent: ReadonlyMap<string, ModelCommand>,
): Promise<PastState[]> {
  const decided = await db('cart_commands').where({ user_id: user }).orderBy('sequence');
  const model = new ModelCart();
  const states: PastState[] = [{ version: 0, at: '', lines: [] }];
  for (const { command_id, decided_at } of decided) {
    const isChanged = model.run(sent.get(command_id)!);
    if (isChanged) states.push({ version: states.length, at: decided_at.toISOString(), lines: model.lines });
  }
  return states;
}

async function countRuns({ client }: Setup, user: string): Promise<number> {
  let runs = 0;
  for await (const _ of client.workflow.list({ query: `WorkflowId = '${cartWorkflowId(user)}'` })) runs += 1;
  return runs;
}
