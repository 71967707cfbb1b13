import { allRoutes, describeAnswers } from './described-api';

/*
 * Runs before each test file with servers: every answer of the API that a test gets by `fetch` is compared with the
 * description of the API. One that the description does not have fails the request, and so the test.
 */

const describeAnswer = describeAnswers(allRoutes);
const send = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const response = await send(input, init);
  const address = input instanceof Request ? input.url : input;
  const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toLowerCase();
  const isEndless = response.headers.get('Content-Type')?.startsWith('text/event-stream') && method !== 'head';
  const text = isEndless ? 'a part' : await response.clone().text();
  const difference = describeAnswer(method, new URL(address), response, text);
  if (difference !== undefined) throw new Error(`${method} ${address}: ${response.status} ${difference}`);
  return response;
};
