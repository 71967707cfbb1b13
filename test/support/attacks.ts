/*
 * What a page of another origin can try with a cart. Each is the body of a function that runs in the page; `cart` is
 * the address of the cart, and `headers` has a token where the API asks for one.
 */

interface Attack {
  readonly script: string;
  /** What the server answers to the page's origin, and to a page of the pointed name. */
  readonly answers: { readonly other: readonly string[]; readonly pointed: readonly string[] };
}

const send = (place: string, init: string) => `return (await fetch(cart + '${place}', ${init})).text();`;
const items = `JSON.stringify({ productId: 'ink', quantity: 5 })`;
const json = `{ ...headers, 'Content-Type': 'application/json' }`;
const submit = (place: string, enctype: string, fields: string) => `
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: cart + '${place}', enctype: '${enctype}' });
  form.innerHTML = ${fields};
  document.body.append(form);
  form.submit();`;
const rejected = { other: ['POST 403'], pointed: ['POST 421'] };
const notAsked = (method: string) => ({ other: ['OPTIONS 204'], pointed: [`${method} 421`] });

/** Each would change the cart. */
export const changes: Readonly<Record<string, Attack>> = {
  'a checkout by fetch without CORS': {
    script: send('/checkout', `{ method: 'POST', mode: 'no-cors' }`),
    answers: rejected,
  },
  'a checkout by fetch': { script: send('/checkout', `{ method: 'POST' }`), answers: rejected },
  'a checkout by fetch, with the token': {
    script: send('/checkout', `{ method: 'POST', headers: { ...headers, Prefer: 'wait=1' } }`),
    answers: notAsked('POST'),
  },
  'a checkout by a form': {
    script: submit('/checkout', 'application/x-www-form-urlencoded', `''`),
    answers: rejected,
  },
  'JSON by a form of text': {
    script: submit('/items', 'text/plain', `'<input name=\\'{"productId":"ink","a":"\\' value=\\'"}\\'>'`),
    answers: rejected,
  },
  'a checkout by a beacon': { script: `navigator.sendBeacon(cart + '/checkout');`, answers: rejected },
  'JSON by a beacon': {
    script: `navigator.sendBeacon(cart + '/items', new Blob([${items}], { type: 'application/json' }));`,
    answers: notAsked('POST'),
  },
  'JSON as text by fetch without CORS': {
    script: send('/items', `{ method: 'POST', mode: 'no-cors', body: ${items} }`),
    answers: rejected,
  },
  'JSON by fetch': {
    script: send('/items', `{ method: 'POST', headers: ${json}, body: ${items} }`),
    answers: notAsked('POST'),
  },
  'a quantity by fetch': {
    script: send('/items/pen', `{ method: 'PUT', headers: ${json}, body: JSON.stringify({ quantity: 9 }) }`),
    answers: notAsked('PUT'),
  },
  'DELETE by fetch': { script: send('/items', `{ method: 'DELETE', headers }`), answers: notAsked('DELETE') },
};

const shown = (element: string) => `
  const element = Object.assign(document.createElement('${element}'), { src: cart });
  document.body.append(element);
  await new Promise((resolve) => Object.assign(element, { onload: resolve, onerror: resolve }));
  return element.contentDocument?.body.innerText ?? '';`;

/** Each returns what it could read. */
export const reads: Readonly<Record<string, string>> = {
  fetch: `return (await fetch(cart)).text();`,
  'fetch, with the token': `return (await fetch(cart, { headers })).text();`,
  'fetch without CORS': `return (await fetch(cart, { mode: 'no-cors' })).text();`,
  'a script': shown('script'),
  'a frame': shown('iframe'),
};
