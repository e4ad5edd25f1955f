import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram, runProgram } from '../../engine/host/programs.ts';
import { tempRoot } from './temp.ts';

/** firewalld, on the host that this thread lives on, with a bus and settings of its own. */
export type TestFirewalld = AsyncDisposable & {
  /** Runs firewall-cmd and gives what it prints. */
  readonly command: (...args: readonly string[]) => Promise<string>;
  /** Ends it, and starts it again. */
  readonly restart: () => Promise<void>;
  /** Has it answer nobody, until this is disposed of. */
  readonly pause: () => Disposable;
};

/** Debian's, with its files below `/` or where it was unpacked. */
const PYTHON = '/usr/bin/python3';

/** Everybody on the bus may say and hear everything. */
const busConfig = (socket: string) => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/**
 * Starts it and waits until it answers. Until it is disposed of, this process finds a `firewall-cmd` that talks to it
 * before any other on its PATH.
 */
export async function startFirewalld(): Promise<TestFirewalld> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('firewalld'));
  const daemon = await findProgram('firewalld');
  if (daemon === undefined) throw new Error('firewalld is not there: npm test makes it available');
  const files = join(dirname(daemon), '../..');
  const environment = {
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${root.join('bus')}`,
    PYTHONPATH: join(files, 'usr/lib/python3/dist-packages'),
  };
  await writeFile(root.join('bus.conf'), busConfig(root.join('bus')));
  await mkdir(root.join('settings'));
  await writeFile(root.join('settings/firewalld.conf'), 'DefaultZone=public\nFirewallBackend=nftables\n');

  const run = (program: string, ...args: readonly string[]) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { ...process.env, ...environment },
    });
    const ended = once(child, 'exit');
    return {
      child,
      async [Symbol.asyncDispose]() {
        child.kill();
        await ended;
      },
    };
  };
  undo.use(run('dbus-daemon', `--config-file=${root.join('bus.conf')}`, '--nofork', '--nopidfile'));
  const settings = [
    '--system-config',
    root.join('settings'),
    '--default-config',
    join(files, 'usr/lib/firewalld'),
  ];
  const quiet = ['--nofork', '--nopid', '--log-target', 'file', '--log-file', root.join('log')];
  // What it has in /run is its own.
  const apart = 'mount -t tmpfs none /run; exec "$@"';
  const start = () =>
    run('unshare', '--mount', 'sh', '-ec', apart, 'sh', PYTHON, daemon, ...quiet, ...settings);
  let running = start();
  undo.defer(() => running[Symbol.asyncDispose]());

  await mkdir(root.join('bin'));
  const words = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
  const script = `#!/bin/sh\nexec env ${words.join(' ')} ${PYTHON} ${join(files, 'usr/bin/firewall-cmd')} "$@"\n`;
  writeFileSync(root.join('bin/firewall-cmd'), script, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${root.join('bin')}:${path}`;
  undo.defer(() => {
    process.env.PATH = path;
  });
  const command = (...args: readonly string[]) => runProgram('firewall-cmd', args);
  const answers = async () => {
    for (const deadline = Date.now() + 30_000; ; await delay(50)) {
      try {
        await command('--state');
        break;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  };
  await answers();
  const kept = undo.move();
  return {
    command,
    async restart() {
      await running[Symbol.asyncDispose]();
      running = start();
      await answers();
    },
    pause() {
      const { child } = running;
      child.kill('SIGSTOP');
      return { [Symbol.dispose]: () => void child.kill('SIGCONT') };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
