import { z } from 'zod';
import { type ProblemCode, statusTitles } from './problem-codes';
import {
  type Access,
  type AnswerDescription,
  defineRoute,
  type ProblemsOfRoute,
  type Route,
  type RouteDescription,
} from './route';
import { problemShape } from './shapes';

/** Raised when a client has to change. */
const apiVersion = '1.0.0';

/** The first parts of paths under which pages of the description group the routes; all others are `service`. */
const areas = ['carts', 'guests', 'products', 'reports', 'operations'];

type JsonObject = { readonly [key: string]: unknown };

/** The description of an API that has these routes: an OpenAPI 3.1 document. */
export function describeApi(routes: readonly RouteDescription[]): JsonObject {
  const schemas: Record<string, unknown> = {};
  /** @param io whether the schema describes what a client sends or what it receives. */
  const toSchema = (schema: z.ZodType, io: 'input' | 'output'): JsonObject => {
    const { $schema: _dialect, $defs, ...own } = withReferences(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
    Object.assign(schemas, $defs);
    return own;
  };
  const problem = toSchema(problemShape, 'output');

  const toParameters = (place: 'path' | 'query' | 'header', schema: z.ZodType | undefined) => {
    const { properties = {}, required = [] } = (schema ? toSchema(schema, 'input') : {}) as {
      properties?: Record<string, JsonObject>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, ...own }]) => ({
      name,
      in: place,
      ...(description === undefined ? {} : { description }),
      required: required.includes(name),
      schema: own,
    }));
  };
  const toAnswer = ({ description, body, textTypes = [], headers }: AnswerDescription) => ({
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, schema]) => [
          name,
          { required: !schema.safeParse(undefined).success, schema: toSchema(schema, 'output') },
        ]),
      ),
    }),
    ...((body || textTypes.length > 0) && {
      content: {
        ...(body && { 'application/json': { schema: toSchema(body, 'output') } }),
        ...Object.fromEntries(textTypes.map((type) => [type, { schema: { type: 'string' } }])),
      },
    }),
  });
  const toProblem = (status: string, codes: readonly string[]) => ({
    description: `${statusTitles[Number(status) as keyof typeof statusTitles]}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    headers: {
      ...(status === '429' || status === '503' ? { 'Retry-After': { schema: { type: 'integer' } } } : {}),
      ...(status === '401' || status === '403' ? { 'WWW-Authenticate': { schema: { type: 'string' } } } : {}),
    },
    content: {
      'application/problem+json': { schema: { ...problem, properties: { code: { enum: codes } } } },
    },
  });
  const toOperation = (route: RouteDescription) => {
    const { name, summary, access, params, query, headers, body, answers } = route;
    return {
      operationId: name,
      summary,
      tags: [areas.find((area) => route.path.startsWith(`/${area}`)) ?? 'service'],
      security: route.needsGuest ? [{ bearer: [], cartToken: [] }] : toSecurity(access, isOfCart(route)),
      parameters: [
        ...toParameters('path', params),
        ...toParameters('query', query),
        ...toParameters('header', headers),
      ],
      ...(body && {
        requestBody: {
          required: !body.safeParse(undefined).success,
          content: { 'application/json': { schema: toSchema(body, 'input') } },
        },
      }),
      responses: {
        ...mapValues(answers, (answer) => toAnswer(isOfCart(route) ? withCartToken(answer) : answer)),
        ...Object.fromEntries(
          Object.entries(problemsOf(route)).map(([status, codes]) => [status, toProblem(status, codes)]),
        ),
      },
    };
  };

  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: toOperation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Event-sourced cart',
      version: apiVersion,
      description: 'Money is in minor units of its currency. Instants are RFC 3339 in UTC with milliseconds.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: { schemas, securitySchemes },
  };
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Of a customer, or of staff.' },
  cartToken: { type: 'apiKey', in: 'header', name: 'Cart-Token', description: 'Of a guest.' },
};

const isOfCart = ({ access, params }: RouteDescription): boolean =>
  access !== 'everybody' && 'userId' in (params?.shape ?? {});

function toSecurity(access: Access, isCart: boolean): object[] {
  if (access === 'everybody') return [];
  return isCart ? [{ bearer: [] }, { cartToken: [] }] : [{ bearer: [] }];
}

/** Using a guest's token renews it. */
const withCartToken = (answer: AnswerDescription): AnswerDescription => ({
  ...answer,
  headers: { ...answer.headers, 'Cart-Token': z.string().optional() },
});

/** The problems of a route, with those that the routes of its access have in common. */
function problemsOf(route: RouteDescription): Readonly<Record<string, readonly ProblemCode[]>> {
  const common: ProblemsOfRoute[] = [
    route.problems,
    { 421: ['host_unknown'], 500: ['internal_error'] },
    route.method === 'get' ? {} : { 403: ['cross_site_request'] },
    route.rate === 'health' ? {} : { 429: ['too_many_requests'] },
    route.access === 'everybody'
      ? {}
      : { 401: ['token_missing', 'token_invalid'], 403: ['scope_missing'], 503: ['keys_unavailable'] },
    isOfCart(route) ? { 404: ['cart_unknown'] } : {},
  ];
  const all: Record<string, ProblemCode[]> = {};
  for (const [status, codes] of common.flatMap((problems) => Object.entries(problems))) {
    all[status] = [...(all[status] ?? []), ...codes];
  }
  return all;
}

/** Zod puts named schemas beside the schema that has them; in the document, all routes share them. */
const withReferences = (schema: object): JsonObject =>
  JSON.parse(JSON.stringify(schema).replaceAll('#/$defs/', '#/components/schemas/'));

const mapValues = <From, To>(from: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(from).map(([key, value]) => [key, map(value)]));

/** The description of the API that the process serves. */
export const descriptionRoute: Route<{ readonly describe: () => unknown }> = defineRoute(
  {
    name: 'describeApi',
    method: 'get',
    path: '/openapi.json',
    summary: 'This description',
    access: 'everybody',
    rate: 'public',
    answers: { 200: { description: 'An OpenAPI 3.1 document.', body: z.looseObject({ openapi: z.string() }) } },
    problems: {},
  },
  async ({ describe }: { readonly describe: () => unknown }) => ({
    status: 200,
    headers: { 'Cache-Control': 'no-cache' },
    body: describe(),
  }),
);
