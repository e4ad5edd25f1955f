import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type Behaviours, containerOf, print } from './given.ts';

/** What the flags of `run`, `create` and `update` do, seen inside and by `inspect`. */
export const creating: Behaviours = {
  'limits, namespaces and mounts reach the container': async (given) => {
    const { berth, host } = given;
    const script = [
      'ulimit -n',
      'cat /proc/sys/kernel/msgmax /proc/self/oom_score_adj',
      'hostname',
      'tail -n 1 /etc/hosts | cut -f 2',
      'grep -c NoNewPrivs:.1 /proc/self/status',
      "grep -E ' /(t|m) ' /proc/mounts | cut -d ' ' -f 3",
      'touch /usr-there/x 2>/dev/null || echo read-only',
      "stat -c '%t:%T' /dev/mine",
      'id -G | tr " " "\\n" | grep -c "^99$"',
    ].join('; ');
    const flags = [
      ...['--ulimit', 'nofile=100:200', '--sysctl', 'kernel.msgmax=9000', '--oom-score-adj', '200'],
      ...['--hostname', 'pier', '--domainname', 'harbour.test', '--security-opt', 'no-new-privileges'],
      ...['--tmpfs', '/t:size=1m', '--mount', 'type=tmpfs,dst=/m,tmpfs-size=64k'],
      ...['--mount', 'type=bind,src=/usr/share,dst=/usr-there,readonly'],
      ...['--device', '/dev/fuse:/dev/mine:rw', '--group-add', '99', '--shm-size', '1m'],
    ];
    const ended = await berth.run(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script], { host });
    const lines = [
      '100',
      '9000',
      '200',
      'pier',
      'pier.harbour.test pier',
      '1',
      'tmpfs',
      'tmpfs',
      'read-only',
    ];
    assert.deepEqual(ended, { code: 0, stdout: `${[...lines, 'a:e5', '1'].join('\n')}\n`, stderr: '' });
  },

  'variables, labels and a seccomp profile are read from files': async (given) => {
    const { berth, host } = given;
    const file = (name: string) => berth.join(`${given.engine}-${name}`);
    await writeFile(file('env'), '# ours\n\nA=from file\n  B=two\nPASSED\nABSENT\n');
    await writeFile(file('labels'), 'tier=web\nowner=file\n');
    const denied = { names: ['mkdir'], action: 'SCMP_ACT_ERRNO' };
    await writeFile(
      file('profile'),
      JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [denied] }, null, 2),
    );
    const flags = [
      '--env-file',
      file('env'),
      '-e',
      'B=three',
      '--security-opt',
      `seccomp=${file('profile')}`,
    ];
    const script = 'echo "$A $B $PASSED [$ABSENT]"; mkdir /tmp/x 2>&1 | sed "s/.*: //"';
    const ended = await berth.run(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script], {
      host,
      env: { PASSED: 'on' },
    });
    const stdout = 'from file three on []\nOperation not permitted\n';
    assert.deepEqual(ended, { code: 0, stdout, stderr: '' });
    await using labelled = await containerOf(given, {
      flags: ['--label-file', file('labels'), '--label', 'owner=flag'],
    });
    const format = '{{index .Config.Labels "tier"}} {{index .Config.Labels "owner"}}';
    assert.equal(await print(given, 'inspect', '-f', format, labelled.name), 'web flag\n');
    for (const [flag, words] of [
      ['--env-file', /can't read .*missing for --env-file/],
      ['--security-opt', /can't read .*missing for --security-opt/],
    ] as const) {
      const value = flag === '--env-file' ? file('missing') : `seccomp=${file('missing')}`;
      const failed = await berth.run(['run', flag, value, 'busybox'], { host });
      assert.equal(failed.code, 125);
      assert.match(failed.stderr, words);
    }
  },

  'containers share networks and memory, and are linked': async (given) => {
    await using donor = await containerOf(given, {
      flags: ['--hostname', 'pier', '--ipc', 'shareable', '--expose', '80', '-e', 'A=1'],
      command: ['sh', '-c', 'echo note >/dev/shm/note; exec sleep 1000'],
    });
    const { name } = donor;
    const shared = ['--network', `container:${name}`, '--ipc', `container:${name}`];
    const script = 'until [ -s /dev/shm/note ]; do sleep 0.05; done; cat /dev/shm/note; hostname';
    assert.equal(await print(given, 'run', '--rm', ...shared, 'busybox', 'sh', '-c', script), 'note\npier\n');
    const env = 'echo $DB_PORT_80_TCP_PORT $DB_ENV_A; grep -c "db pier" /etc/hosts';
    assert.equal(
      await print(given, 'run', '--rm', '--link', `${name}:db`, 'busybox', 'sh', '-c', env),
      '80 1\n1\n',
    );
  },

  'update changes limits, and prints what it worked on': async (given) => {
    await using container = await containerOf(given, { flags: ['-m', '64m', '--restart', 'no'] });
    const { name } = container;
    const flags = ['-m', '128m', '--memory-swap', '256m', '--cpu-shares', '512', '--restart', 'on-failure:2'];
    assert.equal(await print(given, 'update', ...flags, name), `${name}\n`);
    const format =
      '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.CpuShares}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}';
    assert.equal(await print(given, 'inspect', '-f', format, name), '134217728 268435456 512 on-failure 2\n');
    const nothing = await given.berth.run(['update', name], { host: given.host });
    assert.match(nothing.stderr, /nothing to change/);
    const wrong = await given.berth.run(['update', '--restart', 'moon', name], { host: given.host });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /moon/);
  },

  'one output alone is attached where that was asked': async ({ berth, host }) => {
    const script = 'echo out; echo err >&2';
    const run = (...flags: readonly string[]) =>
      berth.run(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script], { host });
    assert.deepEqual(await run('-a', 'stderr'), { code: 0, stdout: '', stderr: 'err\n' });
    assert.deepEqual(await run('-a', 'STDOUT'), { code: 0, stdout: 'out\n', stderr: '' });
    assert.match((await run('-a', 'nowhere')).stderr, /nowhere\W for -a: expected stdin, stdout or stderr/);
    assert.match((await run('-d', '-a', 'stdout')).stderr, /cannot specify both --attach and --detach/);
  },

  'flags that nothing here can serve are refused by name, and nothing is created': async (given) => {
    const { berth, host } = given;
    const before = await print(given, 'ps', '-aq');
    for (const [flag, ...words] of [
      ['--gpus', 'all', 'gpus'],
      ['--link-local-ip', '169.254.1.2', 'link-local-ip'],
      ['--cpu-count', '2', 'cpu-count'],
    ] as const) {
      const ended = await berth.run(['run', flag, ...words.slice(0, -1), 'busybox', 'true'], { host });
      assert.equal(ended.code, 125);
      assert.match(ended.stderr, new RegExp(`--${words.at(-1)} is not supported: `));
    }
    assert.equal(await print(given, 'ps', '-aq'), before);
  },
};
