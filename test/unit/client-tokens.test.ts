import {
  accepted,
  cart,
  errorOf,
  json,
  networkFailure,
  openClient,
  pen,
  problem,
  type Sent,
} from '../support/scripted-client';

describe('tokens', () => {
  const tokensOf = ({ headers }: Sent) => [headers.get('Authorization'), headers.get('Cart-Token')];

  it('are asked for before each attempt', async () => {
    let count = 0;
    const token = async () => {
      count += 1;
      return `t${count}`;
    };
    const { client, sent } = openClient([networkFailure(), json(200, cart)], { token });
    await client.readCart('alice');
    expect(sent.map(tokensOf)).toEqual([
      ['Bearer t1', null],
      ['Bearer t2', null],
    ]);
  });

  it('are not retried where they cannot be had', async () => {
    const token = async () => Promise.reject(new Error('Sign in again.'));
    const { client, sent } = openClient([], { token });
    expect(await errorOf(client.readCart('alice'))).toMatchObject({ cause: { message: 'Sign in again.' } });
    expect(sent).toEqual([]);
  });

  it('of a guest are replaced by the one in an answer, also in that of a problem', async () => {
    const onCartToken = jest.fn();
    const { client, sent } = openClient(
      [
        accepted({ 'Cart-Token': 'second' }),
        problem(409, 'cart_empty', {}, { 'Cart-Token': 'third' }),
        json(200, cart),
      ],
      { cartToken: 'first', onCartToken },
    );
    await client.addItem('guest:1', pen);
    await errorOf(client.checkOut('guest:1'));
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, 'first'],
      [null, 'second'],
      [null, 'third'],
    ]);
    expect(onCartToken.mock.calls).toEqual([['second'], ['third']]);
  });

  it('of a function win over the one in an answer, once the function gives another one', async () => {
    let stored = 'first';
    const { client, sent } = openClient(
      [json(200, cart, { 'Cart-Token': 'second' }), json(200, cart), json(200, cart)],
      { cartToken: () => stored },
    );
    await client.readCart('guest:1');
    await client.readCart('guest:1');
    stored = 'of another page';
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, 'first'],
      [null, 'second'],
      [null, 'of another page'],
    ]);
  });

  it('of a new guest are sent from then on', async () => {
    const guest = { userId: 'guest:1', cartToken: 'new', expiresAt: '2030-02-01T00:00:00.000Z' };
    const onCartToken = jest.fn();
    const { client, sent } = openClient([json(201, guest), json(200, cart)], { onCartToken });
    expect(await client.createGuest()).toEqual(guest);
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, null],
      [null, 'new'],
    ]);
    expect(onCartToken.mock.calls).toEqual([['new']]);
  });
});
