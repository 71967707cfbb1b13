import { createPace } from '../../src/postgres/pace';

/** A pace with a clock that is set by hand. */
function paceAt() {
  let now = 0;
  const pace = createPace(() => now);
  return { wait: (user: string) => pace(user), pass: (ms: number) => (now += ms) };
}

/** Has this many other carts projected within a second. */
function busySecond({ wait, pass }: ReturnType<typeof paceAt>, projections: number): void {
  for (let n = 0; n < projections; n += 1) wait(`other-${n}`);
  pass(1_000);
  wait('the one that sees that the second is over');
}

describe('the pace of projections', () => {
  it('lets no cart wait on an idle worker, however often it is projected', () => {
    const world = paceAt();
    for (let n = 0; n < 20; n += 1) {
      expect(world.wait('alice')).toBe(0);
      world.pass(60);
    }
  });

  it('lets a cart that was projected a moment ago wait on a busy worker, but never over half a second', () => {
    const world = paceAt();
    busySecond(world, 300);
    expect(world.wait('alice')).toBe(0);
    world.pass(10);
    expect(world.wait('alice')).toBe(490);
  });

  it('lets no cart wait that was not projected lately, however busy the worker is', () => {
    const world = paceAt();
    busySecond(world, 5_000);
    world.wait('alice');
    world.pass(600);
    expect(world.wait('alice')).toBe(0);
    expect(world.wait('bob')).toBe(0);
  });

  it('lets nobody wait any more once the rush is over', () => {
    const world = paceAt();
    busySecond(world, 5_000);
    world.pass(1_000);
    expect(world.wait('alice')).toBe(0);
    world.pass(1);
    expect(world.wait('alice')).toBe(0);
  });
});
