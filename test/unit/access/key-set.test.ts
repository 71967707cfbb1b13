import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { openKeySet } from '../../../src/access/key-set';
import { describeError } from '../../../src/describe-error';

it('names its address in errors without what the query has, where the address does not give the keys', async () => {
  const server = createServer((_req, res) => res.writeHead(500).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const keySet = openKeySet(new URL(`${address}?key=secret`), pino({ level: 'silent' }));
  const findKey = async () =>
    describeError(
      await Promise.resolve(keySet.findKey({ alg: 'RS256' }, { payload: '', signature: '' })).catch((error) => error),
    );
  try {
    expect(await findKey()).toBe(`${address} answered 500`);
    expect(await findKey()).toBe(`The keys at ${address} could not be fetched.`);
  } finally {
    keySet.close();
    await new Promise((resolve) => server.close(resolve));
  }
});
