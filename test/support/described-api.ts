import Ajv2020 from 'ajv/dist/2020';
import { guestRoute } from '../../src/access/guest-route';
import { commandRoutes } from '../../src/commands/routes';
import { apiPageRoutes } from '../../src/http/api-page';
import { healthRoutes } from '../../src/http/health';
import { describeApi, descriptionRoute } from '../../src/http/openapi';
import type { RouteDescription } from '../../src/http/route';
import { pageRoutes } from '../../src/queries/pages';
import { queryRoutes } from '../../src/queries/routes';

/** Every route of every role. */
export const allRoutes: readonly RouteDescription[] = [
  ...healthRoutes,
  ...commandRoutes,
  guestRoute,
  ...queryRoutes,
  ...pageRoutes,
  descriptionRoute,
  ...apiPageRoutes,
];

interface Described {
  readonly headers?: Readonly<Record<string, { readonly required: boolean }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Record<number, Described> }>>>>;
}

/**
 * Compares answers with the description of these routes.
 * @returns a function that says in words how an answer differs; undefined where it does not, or is not of these routes.
 */
export function describeAnswers(routes: readonly RouteDescription[]) {
  const document = describeApi(routes) as unknown as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'api');
  const paths = Object.keys(document.paths).map((path) => ({ path, pattern: patternOf(path) }));
  const differenceOfBody = (pointer: readonly string[], body: unknown) => {
    const $ref = `api#${pointer.map((part) => `/${encodeURIComponent(escapePointer(part))}`).join('')}`;
    const validate = ajv.getSchema($ref) ?? ajv.compile({ $id: $ref.replace('api#', 'body:'), $ref });
    return validate(body) ? undefined : ajv.errorsText(validate.errors);
  };

  return (method: string, { pathname }: URL, response: Response, text: string): string | undefined => {
    // A client of HTTP reads a path with a double slash or a dot otherwise than the server that gets it.
    const path = paths.find(({ pattern }) => pattern.test(pathname))?.path;
    if (path === undefined) return undefined;
    const operation = document.paths[path]![method === 'head' ? 'get' : method];
    if (operation === undefined) return [204, 405].includes(response.status) ? undefined : 'for a method it has not';
    const described = operation.responses[response.status];
    if (described === undefined) return `is not described: ${text}`;
    const missing = Object.entries(described.headers ?? {}).find(
      ([name, { required }]) => required && !response.headers.has(name),
    );
    if (missing !== undefined) return `has no header ${missing[0]}`;
    if (described.content === undefined || text === '') {
      return described.content === undefined && text !== '' ? `has a body: ${text}` : undefined;
    }
    const type = response.headers.get('Content-Type')?.split(';')[0] ?? '';
    if (!(type in described.content)) return `is ${type}`;
    if (!type.endsWith('json')) return undefined;
    const pointer = ['paths', path, method, 'responses', `${response.status}`, 'content', type, 'schema'];
    return differenceOfBody(pointer, JSON.parse(text));
  };
}

const patternOf = (path: string) => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
const escapePointer = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
