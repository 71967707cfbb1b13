import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchProcessors } from '../../src/worker/processors';

const root = mkdtempSync(path.join(tmpdir(), 'cart-processors-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Writes files as Linux has them. @returns the folder they are in. */
function linux(name: string) {
  const folder = path.join(root, name);
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const machine = (used: number, idle: number) =>
    write('proc/stat', `cpu  ${used} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 2\n`);
  const group = (text: string) => write('proc/self/cgroup', text);
  const periods = (file: string, all: number, throttled: number) =>
    write(`sys/fs/cgroup/${file}`, `usage_usec 9\nnr_periods ${all}\nnr_throttled ${throttled}\nthrottled_usec 9\n`);
  machine(0, 0);
  return { folder, machine, group, periods };
}

it('the used share is that of the machine where there is no limit', () => {
  const { folder, machine, group, periods } = linux('machine');
  group('0::/user.slice\n');
  periods('user.slice/cpu.stat', 0, 0);
  const usedShare = watchProcessors(folder);
  machine(30, 70);
  expect(usedShare()).toBeCloseTo(0.3);
  machine(120, 80);
  expect(usedShare()).toBeCloseTo(0.9);
  expect(usedShare()).toBe(0);
});

it.each([
  ['of version 2', '0::/\n', 'cpu.stat'],
  ['of version 2, seen from outside', '0::/pods/cart\n', 'pods/cart/cpu.stat'],
  ['around its own', '0::/pods/cart\n', 'pods/cpu.stat'],
  ['of version 1', '4:memory:/m\n3:cpu,cpuacct:/docker/4e:2\n0::/\n', 'cpu,cpuacct/docker/4e:2/cpu.stat'],
  ['of version 1, seen from inside', '3:cpu:/docker/4e\n', 'cpu/cpu.stat'],
])('it is that of the limit of a control group %s', (name, self, file) => {
  const { folder, machine, group, periods } = linux(name);
  group(self);
  periods(file, 10, 10);
  const usedShare = watchProcessors(folder);
  machine(10, 90);
  periods(file, 13, 13);
  expect(usedShare()).toBe(1);
  machine(20, 180);
  periods(file, 15, 13);
  expect(usedShare()).toBeCloseTo(0.1);
});

it('it is 0 on other systems', () => {
  expect(watchProcessors(path.join(root, 'nowhere'))()).toBe(0);
});
