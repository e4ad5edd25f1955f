import assert from 'node:assert/strict';
import { openTerminal } from '../../workshop/testing/terminal.ts';
import { type Behaviours, begin, containerOf, print } from './given.ts';

/** What containers use, their processes and ports; what the engine holds; and making room. */
export const observing: Behaviours = {
  "stats --no-stream prints docker's columns once": async (given) => {
    await using container = await containerOf(given, { flags: ['-m', '64m'] });
    const [header = '', row = '', ...more] = (
      await print(given, 'stats', '--no-stream', container.name)
    ).split('\n');
    assert.match(
      header,
      /^CONTAINER ID {3}NAME +CPU % {5}MEM USAGE \/ LIMIT {3}MEM % {5}NET I\/O +BLOCK I\/O +PIDS$/,
    );
    const size = String.raw`[\d.]+[kMG]?i?B`;
    assert.match(
      row,
      RegExp(
        `^${container.id.slice(0, 12)}   ${container.name} +\\d+\\.\\d\\d% +[\\d.]+[KM]iB / 64MiB +\\d+\\.\\d\\d% +${size} / ${size} +${size} / ${size} +1$`,
      ),
    );
    assert.deepEqual(more, ['']);
    const format = '{{.Container}} {{.ID}} {{.Name}} {{.PIDs}}';
    assert.equal(
      await print(
        given,
        'container',
        'stats',
        '--no-stream',
        '--no-trunc',
        '--format',
        format,
        container.name,
      ),
      `${container.name} ${container.id} ${container.name} 1\n`,
    );
    const all = await print(given, 'stats', '--no-stream', '--format', 'json');
    const rows = all
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.ok(rows.some(({ Name }) => Name === container.name));
    const none = await given.berth.run(['stats', '--no-stream', 'no-such-container'], { host: given.host });
    assert.deepEqual([none.code, none.stdout], [1, '']);
    // Podman 4.3 answers without words.
    assert.match(none.stderr, given.engine === 'podman' ? /404/ : /no-such-container/);
  },

  'stats on a terminal is redrawn in place, with those that come and without those that go': async (
    given,
  ) => {
    const { berth, host } = given;
    await using terminal = openTerminal({
      command: [...berth.command, 'stats'],
      env: { ...berth.env, BERTH_HOST: host },
    });
    await terminal.waitFor(/CONTAINER ID +NAME/);
    await using container = await containerOf(given);
    await terminal.waitFor(new RegExp(`${container.id.slice(0, 12)} +${container.name} +\\d+\\.\\d\\d%`));
    await print(given, 'kill', container.name);
    const gone = terminal.written().length;
    while (
      !/\x1b\[H[^\x1b]*\x1b\[1m/.test(terminal.written().slice(gone)) ||
      lastFrame().includes(container.name)
    )
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(terminal.written(), /\x1b\[H/);
    terminal.send('\x03');
    assert.equal((await terminal.exited).exitCode, 130);

    function lastFrame(): string {
      return terminal.written().split('\x1b[H').at(-1) ?? '';
    }
  },

  'top prints the processes, by the options of ps': async (given) => {
    await using container = await containerOf(given, { command: ['sleep', '1234'] });
    const [header = '', row = ''] = (await print(given, 'top', container.name)).split('\n');
    assert.match(header, /PID/);
    assert.match(row, /sleep 1234$/);
    if (given.engine === 'podman') return;
    assert.match(header, /^UID {17}PID {17}PPID {16}C {19}STIME {15}TTY {17}TIME {16}CMD$/);
    const own = await print(given, 'container', 'top', container.name, '-o', 'pid,args');
    assert.match(own, /^PID {17}COMMAND\n\d+ +sleep 1234\n$/);
    const wrong = await given.berth.run(['top', container.name, '-o', 'args'], { host: given.host });
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /Couldn't find PID field in ps output/);
  },

  'port prints nothing where nothing is published, and says so of one that is asked for': async (given) => {
    await using container = await containerOf(given);
    assert.equal(await print(given, 'port', container.name), '');
    const one = await given.berth.run(['container', 'port', container.name, '80'], { host: given.host });
    assert.deepEqual([one.code, one.stdout], [1, '']);
    assert.match(one.stderr, new RegExp(`no public port '80' published for ${container.name}`));
    assert.equal((await given.berth.run(['port', container.name, 'x'], { host: given.host })).code, 1);
  },

  'a published port is shown by port and ps': async (given) => {
    const flags = ['-p', '127.0.0.1::80', '--publish', '127.0.0.1::53/udp', '--expose', '9000-9001'];
    await using container = await containerOf(given, { flags });
    const [, udp, tcp] =
      /^53\/udp -> 127\.0\.0\.1:(\d+)\n80\/tcp -> 127\.0\.0\.1:(\d+)\n$/.exec(
        await print(given, 'port', container.name),
      ) ?? [];
    assert.ok(udp !== undefined && tcp !== undefined);
    assert.equal(await print(given, 'port', container.name, '80'), `127.0.0.1:${tcp}\n`);
    const shown = `127.0.0.1:${udp}->53/udp, 127.0.0.1:${tcp}->80/tcp`;
    const row = await print(given, 'ps', '--filter', `name=${container.name}`, '--format', '{{.Ports}}');
    // podman's API says nothing of ports that are exposed alone.
    assert.equal(row, given.engine === 'podman' ? `${shown}\n` : `9000-9001/tcp, ${shown}\n`);
  },

  'logs --details prints labels and variables before each line': async (given) => {
    if (given.engine === 'podman') return;
    await using container = await containerOf(given, { command: ['echo', 'hi'] });
    await print(given, 'wait', container.name);
    assert.equal(await print(given, 'logs', '--details', container.name), ' hi\n');
  },

  'system df adds up what is held, and -v tells of what': async (given) => {
    await using container = await containerOf(given);
    const sums = await print(given, 'system', 'df');
    assert.match(
      sums,
      /^TYPE {12}TOTAL {5}ACTIVE {4}SIZE +RECLAIMABLE\nImages +[1-9]\d* +[1-9]\d* +[\d.]+\w?B +[\d.]+\w?B( \(\d+%\))?\n/,
    );
    assert.match(
      sums,
      /\nContainers +[1-9]\d* +[1-9]\d* +[\d.]+\w?B +[\d.]+\w?B( \(\d+%\))?\nLocal Volumes +\d+ +\d+ +/,
    );
    const kinds = (await print(given, 'system', 'df', '--format', 'json')).trimEnd().split('\n');
    assert.deepEqual(
      kinds.map((line) => JSON.parse(line).Type),
      ['Images', 'Containers', 'Local Volumes', 'Build Cache'],
    );
    const verbose = await print(given, 'system', 'df', '-v');
    assert.match(
      verbose,
      /^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\n/,
    );
    assert.match(
      verbose,
      new RegExp(`\\nContainers space usage:\\n\\n[\\s\\S]*\\n${container.id.slice(0, 12)} `),
    );
    assert.match(verbose, /\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\n/);
    const all = JSON.parse(await print(given, 'system', 'df', '-v', '--format', 'json'));
    assert.ok(all.Containers.some(({ Names }: { Names: string }) => Names === container.name));
  },

  'system prune says what will go, and goes by the filters': async (given) => {
    const { berth, host } = given;
    const label = `system-prune-${process.pid}`;
    const id = (await print(given, 'create', '--label', label, 'busybox', 'true')).trim();
    const prune = ['system', 'prune', '-a', '--filter', `label=${label}`];
    const asked = await berth.run(prune, { host, input: 'n\n' });
    assert.deepEqual([asked.code, asked.stdout], [0, '']);
    assert.match(
      asked.stderr,
      RegExp(
        `WARNING! This will remove:\\n {2}- all stopped containers\\n {2}- all networks not used by at least one container\\n {2}- all images without at least one container associated to them\\n {2}- all build cache\\n\\n {2}Items to be pruned will be filtered with:\\n {2}- label=${label}\\n`,
      ),
    );
    const text = await print(given, ...prune, '-f');
    assert.match(text, new RegExp(`^Deleted Containers:\\n${id}\\n\\nTotal reclaimed space: \\d.*B\\n$`));
    assert.equal(await print(given, 'ps', '-aq', '--filter', `label=${label}`), '');
    const images = await print(given, 'image', 'prune', '-a', '-f', '--filter', `label=${label}`);
    assert.equal(images, 'Total reclaimed space: 0B\n');
  },

  'a reader of events, logs or stats that is interrupted ends at once': async (given) => {
    await using container = await containerOf(given, { command: ['sh', '-c', 'echo up; sleep 1000'] });
    for (const [args, shown] of [
      [['logs', '-f', container.name], 'up'],
      [['stats', container.name], 'CONTAINER ID'],
    ] as const) {
      const reader = begin(given, ...args);
      await reader.printed(shown);
      reader.child.kill('SIGINT');
      assert.equal((await reader.ended).code, 130, args.join(' '));
    }
  },
};
