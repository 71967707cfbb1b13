import { commandRoutes } from '../../src/commands/routes';
import { describeApi } from '../../src/http/openapi';
import { queryRoutes } from '../../src/queries/routes';
import { until } from '../support/until';
import { openWorld, type World } from '../support/world';

interface Schema {
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

const { paths } = describeApi([...commandRoutes, ...queryRoutes]) as unknown as {
  paths: Record<string, Record<string, Operation>>;
};
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);

/** In this order each finds what it needs; those that are not named come before the last ones. */
const first = ['putProduct', 'addItem', 'changeItemQuantity', 'restoreCart'];
const last = ['checkOut', 'removeItem', 'clearCart'];
const placeOf = ({ operationId }: Operation) =>
  last.includes(operationId)
    ? 100 + last.indexOf(operationId)
    : first.includes(operationId)
      ? first.indexOf(operationId)
      : 50;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const exampleOf = (schema: Schema): string =>
  String(schema.examples?.[0] ?? schema.enum?.[0] ?? schema.const ?? 'no example');

/** Sends what is required, and these parameters. */
function sendExample(
  { path, method, parameters, requestBody }: (typeof operations)[number],
  also: readonly Parameter[],
  isWhole: boolean,
) {
  const sent = parameters.filter((each) => each.required || each.name === 'to' || also.includes(each));
  const inPlace = (place: Parameter['in']) =>
    sent.filter((each) => each.in === place).map(({ name, schema }) => [name, exampleOf(schema)] as const);
  const filled = inPlace('path').reduce(
    (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)),
    path,
  );
  const { properties = {}, required = [] } = requestBody?.content['application/json'].schema ?? {};
  const isSent = ([name, { examples }]: [string, Schema]) =>
    examples !== undefined && (isWhole || required.includes(name));
  const body =
    requestBody &&
    Object.fromEntries(
      Object.entries(properties)
        .filter(isSent)
        .map(([name, { examples }]) => [name, examples![0]]),
    );
  const query = new URLSearchParams(Object.fromEntries(inPlace('query')));
  // A stream has no end.
  const sentMethod = path.endsWith('/stream') ? 'HEAD' : method;
  return world.request(sentMethod, `${filled}?${query}`, body, Object.fromEntries(inPlace('header')));
}

/** Later examples read what this command has done. */
const untilProjected = (outcome: string) =>
  until('the command is projected', async () => (await world.request('GET', outcome)).status === 200);

it('every example in the description of the API is accepted, together with those of each other parameter', async () => {
  const rejected: unknown[] = [];
  for (const operation of operations.toSorted((a, b) => placeOf(a) - placeOf(b))) {
    // A key is for one command.
    const headers = operation.parameters.filter(
      (each) => each.in === 'header' && (each.name !== 'Idempotency-Key' || operation.operationId === 'addItem'),
    );
    const queries = operation.parameters.filter((each) => each.in === 'query' && !each.required);
    for (const [index, also] of [headers, [], ...queries.map((each) => [each])].entries()) {
      const isWhole = index === 0;
      const { status, body, headers: answered } = await sendExample(operation, also, isWhole);
      if (status === 202) await untilProjected(answered.get('Location')!);
      if (status >= 400) rejected.push([operation.operationId, also.map(({ name }) => name), status, body.detail]);
    }
  }
  expect(rejected).toEqual([]);
});
