const typescript = [
  '@swc/jest',
  {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    // Keeps `import()`, which loads packages that are ES modules only.
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
  setupFiles: ['<rootDir>/test/support/check-answers.ts'],
};

const projects = [
  project('unit', ['unit']),
  project('replay', ['replay']),
  project('servers', ['integration', 'e2e'], servers),
];

// Only `npm run pictures` takes the pictures of the README.
const picturing = project('pictures', ['pictures'], { ...servers, testMatch: ['**/take-pictures.ts'] });
// Only `npm run histories` records the histories that the replay tests read.
const recording = project('histories', ['histories'], { ...servers, testMatch: ['**/record-histories.ts'] });

module.exports = {
  projects: { histories: [recording], pictures: [picturing] }[process.env.JEST_RUN] ?? projects,
  maxWorkers: 2,
  testTimeout: 240_000,
};
