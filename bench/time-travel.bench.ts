import { randomInt, randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../src/contract/ids';
import { ModelCart, type ModelCommand } from '../test/support/cart-model';
import { until } from '../test/support/until';
import { newUser, openWorld, type World } from '../test/support/world';

const events = Number(process.env.EVENTS ?? 10_000);
const wave = 2_050;
const minutes = 60_000;
const user = newUser('long');
const catalogue = Object.fromEntries(
  Array.from({ length: 20 }, (_, n) => [`p${n}`, { price: 100 + n, currency: 'EUR' }]),
);

let world: World;
const sent = new Map<string, ModelCommand>();
beforeAll(async () => {
  world = await openWorld();
  while ((await decided()).version < events) await sendWave();
}, 20 * minutes);
afterAll(() => world.close(), minutes);

const decided = async (): Promise<{ version: number; sequence: number }> =>
  (await world.db('carts').where({ user_id: user }).first('version', 'sequence')) ?? { version: 0, sequence: 0 };

/** As many signals as make a run continue as new, and waits until they are decided. */
async function sendWave(): Promise<void> {
  await Promise.all(
    Array.from({ length: wave }, async () => {
      const commandId = randomUUID();
      const product = `p${randomInt(20)}`;
      const quantity = 1 + randomInt(999);
      const kind = randomInt(10) === 0 ? 'remove' : randomInt(2) === 0 ? 'change' : 'add';
      const command: ModelCommand = kind === 'add' ? { kind, product, quantity: 1 } : { kind, product, quantity };
      sent.set(commandId, command);
      const payload = {
        commandId,
        issuedAt: new Date().toISOString(),
        actor: `user:${user}`,
        productId: product,
        name: product,
        unitPrice: catalogue[product]!.price,
        currency: 'EUR',
        quantity: kind === 'add' ? 1 : quantity,
      };
      const signal = { add: 'addItem', change: 'changeItemQuantity', remove: 'removeItem' }[kind];
      await world.signal(user, signal, payload);
    }),
  );
  await until('the wave is decided', async () => (await decided()).sequence === sent.size);
}

interface Then {
  readonly version: number;
  readonly at: string;
  readonly lines: ModelCart['lines'];
}

/** The cart at every version, as an independent model has it when told the commands in the order they were decided in. */
async function retell(): Promise<Then[]> {
  const commands = await world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
  const model = new ModelCart(catalogue);
  const states: Then[] = [{ version: 0, at: '', lines: [] }];
  for (const { command_id, decided_at } of commands) {
    model.run(sent.get(command_id)!);
    if (model.version === states.length) {
      states.push({ version: model.version, at: decided_at.toISOString(), lines: model.lines });
    }
  }
  return states;
}

const linesOf = (body: { items: Record<string, unknown>[] }) =>
  body.items.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, unitPrice }));

it(
  'has the exact cart at 500 random versions and 500 random instants',
  async () => {
    const states = await retell();
    const runs: string[] = [];
    for await (const run of world.client.workflow.list({ query: `WorkflowId = '${cartWorkflowId(user)}'` }))
      runs.push(run.runId);
    expect(runs.length).toBeGreaterThan(2);
    for (let sample = 0; sample < 500; sample += 1) {
      const expected = states[randomInt(states.length)]!;
      const { body } = await world.request('GET', `/carts/${user}?version=${expected.version}`);
      expect({ version: body.version, lines: linesOf(body) }).toEqual({
        version: expected.version,
        lines: expected.lines,
      });
    }
    const first = Date.parse(states[1]!.at);
    const last = Date.parse(states.at(-1)!.at);
    for (let sample = 0; sample < 500; sample += 1) {
      const at = new Date(first + randomInt(last - first)).toISOString();
      const expected = states.findLast((state) => state.at <= at)!;
      const { body } = await world.request('GET', `/carts/${user}?at=${at}`);
      expect({ version: body.version, lines: linesOf(body) }).toEqual({
        version: expected.version,
        lines: expected.lines,
      });
    }
    console.log(
      `${states.length - 1} events in ${runs.length} runs: 500 versions and 500 instants as the model has them`,
    );
  },
  5 * minutes,
);

it(
  'costs at version 10 and at version 10,000 what the plain read costs',
  async () => {
    const paths = { plain: '', 'version 10': '?version=10', [`version ${events}`]: `?version=${events}` };
    const times = Object.fromEntries(Object.keys(paths).map((name) => [name, [] as number[]]));
    for (let round = 0; round < 2_000; round += 1) {
      for (const [name, query] of Object.entries(paths)) {
        const started = performance.now();
        await (await fetch(`${world.url}/carts/${user}${query}`)).arrayBuffer();
        if (round >= 200) times[name]!.push(performance.now() - started);
      }
    }
    const p50 = (name: string) => times[name]!.sort((a, b) => a - b)[Math.floor(times[name]!.length / 2)]!;
    console.table(
      Object.keys(paths).map((name) => ({
        read: name,
        'p50 ms': p50(name).toFixed(2),
        '÷ plain': (p50(name) / p50('plain')).toFixed(2),
      })),
    );
  },
  5 * minutes,
);
