import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Watches how busy the processors are that this process may use: those of the machine, whichever process uses them, and
 * in a container those of its limit. Always 0 if not on Linux.
 * @param root the folder in which `proc` and `sys` are.
 * @returns a function that returns the share that was used since its last call.
 */
export function watchProcessors(root = '/'): () => number {
  const shares = [watchMachine(root), ...groupStatFiles(root).map(watchGroup)];
  return () => Math.max(...shares.map((usedShare) => usedShare()));
}

function watchMachine(root: string): () => number {
  const file = path.join(root, 'proc/stat');
  if (!existsSync(file)) return () => 0;
  let last = readProcessors(file);
  return () => {
    const now = readProcessors(file);
    const [all, idle] = [now.all - last.all, now.idle - last.idle];
    last = now;
    return all > 0 ? 1 - idle / all : 0;
  };
}

/**
 * The ticks since the machine started, see proc_stat(5): user, nice, system, idle, iowait, irq, softirq and steal. A
 * processor is idle while it waits for a disk.
 */
function readProcessors(file: string) {
  const [total = ''] = readFileSync(file, 'utf8').split('\n', 1);
  const ticks = total.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, iowait = 0] = ticks;
  return { all: ticks.reduce((sum, value) => sum + value, 0), idle: idle + iowait };
}

/**
 * The statistics of this process's control group and of those around it, see cgroups(7). Version 1 has a hierarchy for
 * the processors, version 2 one for all. A container may see its own group as the root.
 */
function groupStatFiles(root: string): string[] {
  const file = path.join(root, 'proc/self/cgroup');
  if (!existsSync(file)) return [];
  const groups = [...readFileSync(file, 'utf8').matchAll(/^\d+:(.*?):(.*)$/gm)];
  return groups
    .filter(([, controllers = '']) => controllers === '' || controllers.split(',').includes('cpu'))
    .flatMap(([, controllers = '', group = '/']) =>
      withAncestors(group).map((each) => path.join(root, 'sys/fs/cgroup', controllers, each, 'cpu.stat')),
    )
    .filter(existsSync);
}

const withAncestors = (group: string): string[] =>
  group === '/' ? ['/'] : [group, ...withAncestors(path.posix.dirname(group))];

/**
 * The share of the periods in which the group had used up its limit before the period, of 100 ms, was over. Without a
 * limit there are no periods. The time that a group used says less: a sample holds two or three periods.
 */
function watchGroup(file: string): () => number {
  let last = readPeriods(file) ?? { all: 0, throttled: 0 };
  return () => {
    const now = readPeriods(file) ?? last;
    const [all, throttled] = [now.all - last.all, now.throttled - last.throttled];
    last = now;
    return all > 0 ? throttled / all : 0;
  };
}

/** Undefined where the group is gone, as when the process was moved to another one. */
function readPeriods(file: string): { all: number; throttled: number } | undefined {
  if (!existsSync(file)) return undefined;
  const numbers = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  return { all: Number(numbers.get('nr_periods') ?? 0), throttled: Number(numbers.get('nr_throttled') ?? 0) };
}
