import { z } from 'zod';
import { statusTitles } from './problem-codes';
import { type AnswerDescription, defineRoute, type ProblemsOfRoute, type Route, type RouteDescription } from './route';
import { problemShape } from './shapes';

/** Raised when a client has to change. */
const apiVersion = '1.0.0';

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
  const toAnswer = ({ description, body, hasCsv, headers }: AnswerDescription) => ({
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, schema]) => [
          name,
          { required: !schema.safeParse(undefined).success, schema: toSchema(schema, 'output') },
        ]),
      ),
    }),
    ...(body && {
      content: {
        'application/json': { schema: toSchema(body, 'output') },
        ...(hasCsv ? { 'text/csv': { schema: { type: 'string' } } } : {}),
      },
    }),
  });
  const toProblem = (status: string, codes: readonly string[]) => ({
    description: `${statusTitles[Number(status) as keyof typeof statusTitles]}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    content: {
      'application/problem+json': { schema: { ...problem, properties: { code: { enum: codes } } } },
    },
  });
  const toOperation = ({ name, summary, params, query, headers, body, answers, problems }: RouteDescription) => ({
    operationId: name,
    summary,
    parameters: [...toParameters('path', params), ...toParameters('query', query), ...toParameters('header', headers)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: toSchema(body, 'input') } } },
    }),
    responses: {
      ...mapValues(answers, toAnswer),
      ...Object.fromEntries(
        Object.entries({ ...problems, ...everyRoute }).map(([status, codes]) => [status, toProblem(status, codes)]),
      ),
    },
  });

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
    components: { schemas },
  };
}

const everyRoute = { 500: ['internal_error'] } as const satisfies ProblemsOfRoute;

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
    answers: { 200: { description: 'An OpenAPI 3.1 document.', body: z.looseObject({ openapi: z.string() }) } },
    problems: {},
  },
  async ({ describe }: { readonly describe: () => unknown }) => ({
    status: 200,
    headers: { 'Cache-Control': 'no-cache' },
    body: describe(),
  }),
);
