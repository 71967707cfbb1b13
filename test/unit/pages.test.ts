import { withPorts } from '../../src/http/route';
import { type loadPages, pageRoutes } from '../../src/queries/pages';
import { serve, type TestServer } from '../support/serve';

const file = (text: string) => ({ text, etag: `"${text.length}"` });
const ports: ReturnType<typeof loadPages> = {
  html: file('<html></html>'),
  assets: new Map([['main-1.js', file('run()')]]),
  headers: { 'Cache-Control': 'no-cache', 'Content-Security-Policy': "default-src 'none'" },
};

let server: TestServer;
beforeAll(async () => {
  server = await serve(withPorts(pageRoutes, ports));
});
afterAll(() => server.close());

describe('the pages', () => {
  it.each(['/', '/shop', '/time', '/time/alice', '/ops'])('%s is the document, with its policy', async (path) => {
    const answer = await fetch(`${server.url}${path}`);
    expect([answer.status, await answer.text()]).toEqual([200, '<html></html>']);
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'");
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  it('have files whose names change with their content, which may be cached for good', async () => {
    const answer = await fetch(`${server.url}/assets/main-1.js`);
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const again = await fetch(`${server.url}/assets/main-1.js`, { headers: { 'If-None-Match': '"5"' } });
    expect(again.status).toBe(304);
  });

  it.each(['main-2.js', '..%2Findex.html'])('have no file %s', async (name) => {
    const { status } = await fetch(`${server.url}/assets/${name}`);
    expect([400, 404]).toContain(status);
  });
});
