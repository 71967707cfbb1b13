import { apiPageRoutes } from '../../src/http/api-page';
import { serve, type TestServer } from '../support/serve';

const types: Readonly<Record<string, string>> = {
  '/docs': 'text/html; charset=utf-8',
  '/docs/start.js': 'text/javascript; charset=utf-8',
  '/docs/swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  '/docs/swagger-ui.css': 'text/css; charset=utf-8',
};
const paths = apiPageRoutes.map(({ path }) => path);

let server: TestServer;
beforeAll(async () => {
  server = await serve([]);
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${server.url}${path}`, { headers });

it('has a type for every file', () => {
  expect(paths.toSorted()).toEqual(Object.keys(types).toSorted());
});

describe.each(paths)('%s', (path) => {
  it('is sent with its type, and a policy that allows nothing inline and nothing of other origins', async () => {
    const answer = await get(path);
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, types[path]]);
    expect((await answer.text()).length).toBeGreaterThan(0);
    expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(answer.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });

  it('is asked for anew at each use, and sent only to a client that does not have it', async () => {
    const { headers } = await get(path);
    expect(headers.get('Cache-Control')).toBe('no-cache');
    const again = await get(path, { 'If-None-Match': headers.get('ETag')! });
    expect([again.status, (await again.text()).length]).toEqual([304, 0]);
    expect((await get(path, { 'If-None-Match': '"of-before"' })).status).toBe(200);
  });
});

it('the page loads only files that are served', async () => {
  const html = await (await get('/docs')).text();
  const loaded = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(
    ([, address]) => new URL(address!, `${server.url}/docs`).pathname,
  );
  expect(loaded.toSorted()).toEqual(paths.filter((path) => path !== '/docs').toSorted());
});

it('another file is 404', async () => {
  const answer = await get('/docs/swagger-ui-bundle.js.map');
  expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'route_not_found' })]);
});
