const typescript = [
  '@swc/jest',
  {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    // Leaves `import()` alone, by which packages that are ES modules only are loaded.
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

// `npm run histories` records what the replay tests read; a normal run leaves it out.
const recording = project('histories', ['histories'], { ...servers, testMatch: ['**/record-histories.ts'] });

module.exports = {
  projects: process.env.JEST_RUN === 'histories' ? [recording] : projects,
  maxWorkers: 2,
  testTimeout: 90_000,
};
