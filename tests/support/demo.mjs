// Starts the real binary's demo on free ports, for tests that judge the server from outside. Needs Node alone.
//
// From JavaScript: `const demo = await startDemo()`, at the end `await demo.stop()`. From anything else: `node demo.mjs`
// prints one line of JSON (url, ssoUrl, keys) and ends when its standard input does.
//
// The binary is `$LC_CONNECTIONS`, or target/debug/lc-connections. Each demo has its own data and its own SSO.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.LC_CONNECTIONS || fileURLToPath(new URL('../../target/debug/lc-connections', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;
// Between choosing a free port and taking it, another program may take it.
const ATTEMPTS = 3;

const running = new Set();

/** Ends what still runs, however this process ends: the demo removes its own temporary folder. */
function endAll() {
  for (const child of running) child.kill('SIGTERM');
}
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts one demo, waits until it is ready, and tells where it is and with which keys. */
export async function startDemo() {
  for (let attempt = 1; ; attempt += 1) {
    const [port, ssoPort] = await freePorts(2);
    try {
      return await start(port, ssoPort);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address.*in use/i.test(error.message)) throw error;
    }
  }
}

async function start(port, ssoPort) {
  const child = spawn(BINARY, ['demo', '--port', port, '--sso-port', ssoPort].map(String), {
    // A developer's own settings must not change what is tested.
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR ?? '/tmp', RUST_LOG: 'warn', RUST_BACKTRACE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  let ended;
  const end = new Promise((resolve) => {
    const because = (text) => {
      running.delete(child);
      resolve((ended ??= text));
    };
    child.once('error', (error) => because(`${error.message} (build it with cargo build, or set LC_CONNECTIONS)`));
    child.once('close', (code, signal) => because(signal ?? `exit code ${code}`));
  });
  const failure = (what) => new Error(`${BINARY} demo ${what}\n--- its stderr:\n${stderr || '(nothing)\n'}---`);

  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(stdout.includes(`${url}/readyz`) && (await isReady(url)))) {
    if (ended) throw failure(`did not come up: ${ended}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw failure(`was not ready within ${START_TIMEOUT_MS} ms; it printed:\n${stdout}`);
    }
    await sleep(20);
  }

  const key = (holder) => {
    const line = stdout.split('\n').find((line) => line.trimStart().startsWith(holder));
    const found = line?.match(/lck_\S+/);
    if (!found) throw failure(`printed no key of ${holder}:\n${stdout}`);
    return found[0];
  };
  const ssoUrl = `http://127.0.0.1:${ssoPort}`;
  return {
    url,
    ssoUrl,
    keys: { northwind: key('Northwind'), contoso: key('Contoso'), superuser: key('Superuser') },

    /** Switches how SSO behaves, for all accounts: ok, down, hang, garbage, slow, flap, revoked, missing, page-fails. */
    async scenario(name) {
      const answer = await fetch(`${ssoUrl}/__scenario`, { method: 'PUT', body: JSON.stringify({ scenario: name }) });
      if (!answer.ok) throw new Error(`scenario ${name}: ${answer.status} ${await answer.text()}`);
    },

    /** Ends the demo as an operator would; that it does not end in order is a failure of its own. */
    async stop() {
      child.kill('SIGTERM');
      const inTime = await Promise.race([end, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      if (inTime === undefined) {
        child.kill('SIGKILL');
        throw failure(`did not end within ${STOP_TIMEOUT_MS} ms of SIGTERM`);
      }
      if (inTime !== 'exit code 0') throw failure(`ended with ${inTime}`);
      if (stderr.includes('panicked')) throw failure('panicked');
    },
  };
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, ssoUrl, keys, stop } = await startDemo();
  console.log(JSON.stringify({ url, ssoUrl, keys }));
  process.stdin.resume();
  await once(process.stdin, 'end');
  await stop();
}
