import assert from 'node:assert/strict';
import { type Behaviours, containerOf, print, remove } from './given.ts';

/** What becomes of a container over its life: pause, rename, prune, restart policies. */
export const life: Behaviours = {
  'pause and unpause print what they worked on, in both spellings': async (given) => {
    await using container = await containerOf(given);
    const { name } = container;
    const state = () => print(given, 'inspect', '-f', '{{.State.Status}}', name);
    assert.equal(await print(given, 'pause', name), `${name}\n`);
    assert.equal(await state(), 'paused\n');
    const status = await print(given, 'ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}');
    assert.match(status, /\(Paused\)|paused/i);
    const twice = await given.berth.run(['pause', name, 'nobody-here'], { host: given.host });
    assert.deepEqual([twice.code, twice.stdout], [1, '']);
    assert.match(twice.stderr, /paused.*nobody-here/s);
    assert.equal(await print(given, 'container', 'unpause', name), `${name}\n`);
    assert.equal(await state(), 'running\n');
    assert.equal(await print(given, 'container', 'pause', name), `${name}\n`);
    assert.equal(await print(given, 'unpause', name), `${name}\n`);
  },

  'rename prints nothing, and refuses a name in use': async (given) => {
    await using container = await containerOf(given);
    await using other = await containerOf(given);
    const name = `${container.name}-renamed`;
    assert.equal(await print(given, 'rename', container.name, name), '');
    try {
      assert.equal(await print(given, 'inspect', '-f', '{{.Id}}', name), `${container.id}\n`);
      const taken = await given.berth.run(['container', 'rename', name, other.name], { host: given.host });
      assert.deepEqual([taken.code, taken.stdout], [1, '']);
      assert.match(taken.stderr, new RegExp(other.name));
      const one = await given.berth.run(['rename', name], { host: given.host });
      assert.equal(one.code, 125);
    } finally {
      await remove(given, name);
    }
  },

  'container prune asks first, and removes what the filters choose': async (given) => {
    const { berth, host } = given;
    const label = `prune-${process.pid}`;
    const labelled = ['--label', label];
    await using running = await containerOf(given, { flags: labelled });
    const ids = [];
    for (const more of [[], ['--label', 'keep']])
      ids.push((await print(given, 'create', ...labelled, ...more, 'busybox', 'true')).trim());
    const [gone = '', kept = ''] = ids;
    try {
      const prune = ['container', 'prune', '--filter', `label=${label}`, '--filter', 'label!=keep'];
      for (const input of ['n\n', '', 'perhaps\n']) {
        const asked = await berth.run(prune, { host, input });
        assert.deepEqual([asked.code, asked.stdout], [0, ''], input);
        assert.match(asked.stderr, /This will remove all stopped containers\.\n.* \[y\/N\] $/);
      }
      const removed = await berth.run(prune, { host, input: 'y\n' });
      assert.equal(removed.code, 0);
      assert.match(
        removed.stdout,
        new RegExp(`^Deleted Containers:\n${gone}\n\nTotal reclaimed space: \\d.*B\n$`),
      );
      assert.equal(await print(given, ...prune, '-f'), 'Total reclaimed space: 0B\n');
      assert.equal(await print(given, 'inspect', '-f', '{{.Id}}', kept), `${kept}\n`);
      assert.equal(await print(given, 'inspect', '-f', '{{.State.Running}}', running.name), 'true\n');
    } finally {
      for (const id of ids) await remove(given, id);
    }
  },

  'stop, restart and kill take the signal and the time to wait': async (given) => {
    const script = 'trap "exit 5" USR1; echo set; while :; do sleep 0.05; done';
    await using container = await containerOf(given, {
      command: ['sh', '-c', script],
      flags: ['--stop-signal', 'USR1'],
    });
    const { name } = container;
    const logs = () => given.berth.run(['logs', name], { host: given.host });
    while (!(await logs()).stdout.includes('set'));
    assert.equal(await print(given, 'stop', '--timeout', '30', name), `${name}\n`);
    assert.equal(await print(given, 'wait', name), '5\n');
    assert.equal(await print(given, 'restart', '--time=0', name), `${name}\n`);
    assert.equal(await print(given, 'container', 'kill', '--signal', 'KILL', name), `${name}\n`);
    assert.equal(await print(given, 'container', 'wait', name), '137\n');
    assert.equal(await print(given, 'container', 'start', name), `${name}\n`);
    assert.equal(await print(given, 'container', 'restart', '-t', '0', name), `${name}\n`);
    assert.equal(await print(given, 'container', 'stop', '-t', '0', name), `${name}\n`);
    assert.equal(await print(given, 'container', 'rm', '-v', name), `${name}\n`);
  },

  'rm removes a paused container by force alone': async (given) => {
    await using container = await containerOf(given);
    const { name } = container;
    await print(given, 'pause', name);
    const refused = await given.berth.run(['rm', name], { host: given.host });
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /paused/);
    assert.equal(await print(given, 'rm', '-f', name), `${name}\n`);
  },
};
