import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { RoleProcess } from '../world/role-process';
import { type RoleName, roleNames } from '../world/world';
import { type Fault, type FaultContext, nothingToHeal } from './fault';

/** What happens to the processes of the product. */
export function roleFaults(context: FaultContext): Fault[] {
  return [
    ...roleNames.flatMap((role) =>
      [killOne, killBoth, pauseOne, rollingRestart].map((create) => create(context, role)),
    ),
    stopEveryWorker(context),
    clock(context, 'clock-ahead', '+1h'),
    clock(context, 'clock-behind', '-1h'),
  ];
}

function killOne({ world, random }: FaultContext, role: RoleName): Fault {
  return {
    name: `kill-${role}`,
    touches: role,
    async inject() {
      random.pick(world.roles[role]).kill('SIGKILL');
      return undefined;
    },
    heal: nothingToHeal,
  };
}

function killBoth({ world }: FaultContext, role: RoleName): Fault {
  return {
    name: `kill-every-${role}`,
    touches: role,
    async inject() {
      for (const process of world.roles[role]) process.kill('SIGKILL');
      return undefined;
    },
    heal: nothingToHeal,
  };
}

function pauseOne({ world, random }: FaultContext, role: RoleName): Fault {
  return {
    name: `pause-${role}`,
    touches: role,
    async inject() {
      random.pick(world.roles[role]).kill('SIGSTOP');
      return undefined;
    },
    async heal() {
      for (const process of world.roles[role]) process.kill('SIGCONT');
    },
  };
}

/** Both workers are killed and start again only when the fault is healed. */
function stopEveryWorker({ world }: FaultContext): Fault {
  const setHeld = (isHeld: boolean) => {
    for (const process of world.roles.worker) process.setHeld(isHeld);
  };
  return {
    name: 'stop-every-worker',
    touches: 'worker',
    takesDown: 'all workers',
    async inject() {
      setHeld(true);
      for (const process of world.roles.worker) process.kill('SIGKILL');
      return undefined;
    },
    heal: async () => setHeld(false),
  };
}

/** Both processes of a role are ended in order and started again, one after the other, as a deployment does it. */
function rollingRestart({ world }: FaultContext, role: RoleName): Fault {
  return {
    name: `rolling-${role}`,
    touches: role,
    async inject() {
      for (const process of world.roles[role]) await process.restart();
      return undefined;
    },
    heal: nothingToHeal,
  };
}

const faketimeVariables = { FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };

/** One process of each role starts again with another time of day. */
function clock({ world, random }: FaultContext, name: string, offset: string): Fault {
  const library = findFaketime();
  const shifted = new Set<RoleProcess>();
  return {
    name,
    touches: 'clocks',
    ...(library === undefined ? { leftOut: 'libfaketime is not on this machine' } : {}),
    async inject() {
      const chosen = roleNames.map((role) => random.pick(world.roles[role]));
      for (const process of chosen) {
        process.setExtra({ LD_PRELOAD: library!, FAKETIME: offset, ...faketimeVariables });
        shifted.add(process);
      }
      await Promise.all(chosen.map((process) => process.restart()));
      return undefined;
    },
    async heal() {
      const chosen = [...shifted].filter((process) => shifted.delete(process));
      for (const process of chosen) process.setExtra({});
      await Promise.all(chosen.map((process) => process.restart()));
    },
  };
}

/** The library that LIBFAKETIME names, else that of Debian, of Fedora or one built on this machine. */
function findFaketime(): string | undefined {
  if (process.env.LIBFAKETIME) return process.env.LIBFAKETIME;
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((folder) => existsSync(folder));
  const nested = folders.flatMap((folder) => [folder, ...subfolders(folder)]);
  const files = nested.map((folder) => path.join(folder, 'faketime', 'libfaketimeMT.so.1'));
  return files.find((file) => existsSync(file));
}

const subfolders = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.endsWith('-linux-gnu'))
    .map(({ name }) => path.join(folder, name));
