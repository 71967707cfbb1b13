import { describeError } from '../../src/describe-error';

describe('the description of an error', () => {
  it('has the messages of all its causes', () => {
    const cause = new Error('no answer', { cause: new Error('the connection was reset') });
    expect(describeError(new Error('cannot start', { cause }))).toBe(
      'cannot start\n  because: no answer\n  because: the connection was reset',
    );
  });

  it.each([
    ['the code of an error without a message', Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['the name of an error with neither', new TypeError(), 'TypeError'],
    ['anything else as text', 'stopped', 'stopped'],
  ])('is %s', (_what, error, text) => {
    expect(describeError(error)).toBe(text);
  });
});
