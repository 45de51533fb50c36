// Runs the code blocks of READMEs in a project that has the packages, each in a process and a folder of its own.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const placeOf = ({ file, line }) => `${file.replace(/^.*(?=\/node_modules\/)\//, '')}:${line}`;

/** What a reader brings, or has elsewhere: put in place of the text that says so. */
const supplied = [
  [
    /^\/\/ signed in as above.*$/m,
    "await tokens.signIn({ access_token: 'an-access-token', refresh_token: 'a-refresh-token' });",
  ],
  [
    /^(?=await server\.requestArrived\(10\))/m,
    "for (let i = 0; i < 10; i++) fetch(server.tokenEndpoint, { method: 'POST' }).catch(() => undefined);\n",
  ],
  [
    /^(?=const \[first, second\] = \[await api\.requestArrived)/m,
    `const form = new FormData();
for (const _ of [1, 2]) void fetch(api.origin, { method: 'POST', body: form });\n`,
  ],
  [/'\.\/your-store\.ts'/, "'../your-store.mjs'"],
  [/'redis:\/\/127\.0\.0\.1:6379'/, 'process.env.REDIS_URL'],
];

/** Suites take minutes, and run in the packages' tests: here these of their cases show that the block is right. */
const cases = [
  ['runAdapterSuite(', '(explained|Authorization)'],
  ['runStoreSuite(', 'refresh token is presented once'],
  ['runProcessSuite(', 'in another process during an exchange stays'],
];

/** What some blocks talk to, by what they import. */
const servers = {
  redis: { wanted: /from '(?:io)?redis'/, programs: ['redis-server'] },
  keyring: { wanted: /store-keyring'/, programs: ['dbus-run-session', 'gnome-keyring-daemon'] },
};

/** Runs the command after it beside an open keyring. */
const withKeyring =
  'printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && exec "$@"';

const isInstalled = (program) => spawnSync('which', [program]).status === 0;
const wants = (code, name) => servers[name].wanted.test(code);

const minorOf = (version) => Number(version.split('.')[0]) * 1000 + Number(version.split('.')[1]);

/** Why a block is not run here, where it is not. */
function unrunnable({ code, file }, version) {
  // The package's tests run those of the worker in one.
  if (file.includes('store-browser')) return 'it wants a browser';
  // Ours is lower.
  if (/from 'undici'/.test(code) && minorOf(version) < 22_019) return 'npm undici needs Node 22.19';
  const programs = Object.keys(servers).flatMap((name) => (wants(code, name) ? servers[name].programs : []));
  const missing = programs.find((program) => !isInstalled(program));
  return missing && `${missing} is not installed`;
}

/** Writes the blocks as JavaScript, and returns them with their files. */
export function writePrograms(project, blocks) {
  const ts = createRequire(join(project, 'package.json'))('typescript-oldest');
  // Types are stripped, nothing else, as Node does it.
  const compilerOptions = { target: 'es2023', module: 'esnext', verbatimModuleSyntax: true };
  mkdirSync(join(project, 'readme'), { recursive: true });
  return blocks.map((block, i) => {
    const path = join(project, 'readme', `${i}.mjs`);
    const whole = supplied.reduce((text, [pattern, ours]) => text.replace(pattern, ours), block.code);
    writeFileSync(path, ts.transpileModule(whole, { compilerOptions }).outputText);
    return { ...block, path };
  });
}

/** A text that nothing replaces any more is a rule that nobody needs. */
export function unusedSupplies(blocks) {
  return supplied
    .filter(([pattern]) => !blocks.some(({ code }) => pattern.test(code)))
    .map(([pattern]) => `scripts/readme-runs.mjs supplies ${pattern}, which no README has`);
}

function commandFor({ code, path }, { node, project }) {
  const [, name] = cases.find(([call]) => code.includes(call)) ?? [];
  const flags = ['--disable-warning=ExperimentalWarning', '--test-reporter=spec'];
  if (name !== undefined) flags.push(`--test-name-pattern=${name}`);
  const command = [node, ...flags, join(project, 'readme.mjs'), path];
  if (!wants(code, 'keyring')) return command;
  return ['dbus-run-session', '--', 'sh', '-c', withKeyring, 'sh', ...command];
}

async function runProblems(block, { version, ...place }) {
  const home = mkdtempSync(join(place.project, 'home-'));
  const places = { HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const env = { ...process.env, ...places, REDIS_URL: place.redis?.url };
  const [file, ...args] = commandFor(block, place);
  try {
    const { stdout } = await run(file, args, { cwd: home, env, timeout: 60_000 });
    const isIdle = block.code.includes("'node:test'") && !/^ℹ pass [1-9]/m.test(stdout);
    return isIdle ? [`${placeOf(block)} runs no test on Node ${version}\n${stdout}`] : [];
  } catch ({ stdout, stderr, killed }) {
    const what = killed ? 'does not end' : 'fails';
    return [`${placeOf(block)} ${what} on Node ${version}\n${stdout}${stderr}`];
  }
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
  });
}

async function startRedis(project) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', project, '--save', ''];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    await delay(20);
  }
  return { url: `redis://127.0.0.1:${port}`, close: () => child.kill('SIGKILL') };
}

async function problemsOf(blocks, place) {
  const redis = blocks.some(({ code }) => wants(code, 'redis')) ? await startRedis(place.project) : undefined;
  const problems = [];
  try {
    for (const block of blocks) problems.push(...(await runProblems(block, { ...place, redis })));
  } finally {
    redis?.close();
  }
  return problems;
}

/** Runs the blocks one after the other, each in an empty folder that is its home. Returns what went wrong. */
export async function runBlocks(blocks, place) {
  const { version } = place;
  const runnable = blocks.filter((block) => unrunnable(block, version) === undefined);
  for (const block of blocks.filter((one) => !runnable.includes(one))) {
    console.log(`${placeOf(block)} is type-checked only on Node ${version}: ${unrunnable(block, version)}`);
  }
  const problems = await problemsOf(runnable, place);
  console.log(`${runnable.length} of ${blocks.length} code blocks were run on Node ${version}`);
  return problems;
}
