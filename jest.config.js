const typescript = [
  '@swc/jest',
  {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    // Does not compile `import()`, which loads packages that are only ES modules.
    module: { type: 'commonjs', ignoreDynamic: true },
  },
];

const project = (displayName, folders, more = {}) => ({
  displayName,
  testEnvironment: 'node',
  roots: folders.map((folder) => `<rootDir>/test/${folder}`),
  transform: { '\\.ts$': typescript },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.tmp', '<rootDir>/.data'],
  ...more,
});

const servers = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

const projects = [
  project('unit', ['unit']),
  project('replay', ['replay']),
  project('servers', ['integration', 'e2e'], servers),
];

// `npm run histories` records histories for the replay tests, `npm run bench:…` measures. A normal run does neither.
const recording = project('histories', ['histories'], { ...servers, testMatch: ['**/record-histories.ts'] });

const bench = { ...project('bench', ['../bench'], servers), testMatch: ['**/*.bench.ts'] };

const selected = { histories: [recording], bench: [bench] };

module.exports = {
  projects: selected[process.env.JEST_RUN] ?? projects,
  maxWorkers: 2,
  testTimeout: 90_000,
};
