import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, refusal, said } from './containers.ts';
import { ask, differs } from './wire.ts';

/** Allows all but mkdir(2) in both its forms. */
const noMkdir = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    { name: 'mkdirat', action: 'SCMP_ACT_ERRNO', args: [], includes: {}, excludes: {} },
    // Not for a container that may not do it anyway.
    { names: ['rmdir'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_SYS_BOOT'] } },
  ],
});

/** What confines a container, and what frees it. */
export const securityCases: Readonly<Record<string, Case>> = {
  'a seccomp profile denies what it says, and unconfined denies nothing': async (subject) => {
    const script = 'exec 2>&1; mkdir /tmp/made; rmdir /tmp/made; grep ^Seccomp: /proc/self/status';
    const profile = await said(subject, script, { HostConfig: { SecurityOpt: [`seccomp=${noMkdir}`] } });
    assert.match(profile[0] ?? '', /can't create directory '\/tmp\/made': Operation not permitted/);
    assert.deepEqual(profile.slice(2), ['Seccomp:\t2']);
    const unconfined = await said(subject, script, { HostConfig: { SecurityOpt: ['seccomp:unconfined'] } });
    assert.deepEqual(unconfined, ['Seccomp:\t0']);
    assert.deepEqual(await said(subject, script), ['Seccomp:\t2']);
  },
  'new privileges, hidden paths and capabilities are as was asked': async (subject) => {
    const script = `grep NoNewPrivs /proc/self/status; cat /proc/timer_list | head -c 1 | wc -c
      touch /proc/sys/kernel/domainname 2>&1 | sed 's/.*: //'; grep CapBnd /proc/self/status`;
    const [privileges, timers, , bounding] = await said(subject, script, {
      HostConfig: { SecurityOpt: ['no-new-privileges'], CapDrop: ['ALL'], CapAdd: ['CHOWN'] },
    });
    assert.deepEqual([privileges, timers], ['NoNewPrivs:\t1', '0']);
    assert.equal(Number.parseInt(bounding?.split('\t')[1] ?? '', 16), 1);
    const open = await said(subject, script, {
      HostConfig: { SecurityOpt: ['no-new-privileges:false'], MaskedPaths: [], ReadonlyPaths: [] },
    });
    assert.deepEqual(open.slice(0, 2), ['NoNewPrivs:\t0', '1']);
    await using made = await make(subject, ['true'], { HostConfig: { MaskedPaths: [], ReadonlyPaths: [] } });
    const { HostConfig } = await made.inspect();
    assert.deepEqual([HostConfig.MaskedPaths, HostConfig.ReadonlyPaths], [[], []]);
  },
  'a security option that makes no sense is refused': async (subject) => {
    for (const option of ['moon', 'moon=1', 'no-new-privileges=maybe', 'systempaths=unconfined']) {
      const { status, message } = await refusal(subject, { HostConfig: { SecurityOpt: [option] } });
      assert.equal(
        status,
        differs(subject, { berth: 400, dockerd: 500, because: 'dockerd 20.10 calls them internal' }),
        option,
      );
      assert.match(message, /invalid --security-opt/);
    }
    for (const [option, refusedWith] of [
      ['seccomp={', 400],
      ['seccomp={"defaultAction":"SCMP_ACT_MOON"}', 400],
      ['label=type:moon', 501],
    ] as const) {
      const { status } = await refusal(subject, { HostConfig: { SecurityOpt: [option] } });
      const because = 'dockerd 20.10 looks at it when it starts the container, if at all';
      assert.equal(status, differs(subject, { berth: refusedWith, dockerd: 201, because }), option);
    }
  },
  'restart policy and log options are checked as dockerd does': async (subject) => {
    const wrong: readonly [Record<string, unknown>, RegExp][] = [
      [{ RestartPolicy: { Name: 'sometimes' } }, /invalid restart policy 'sometimes'/],
      [
        { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
        /maximum retry count.* cannot be used with restart policy 'always'/,
      ],
      [
        { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
        /maximum retry count cannot be negative/,
      ],
      [
        { AutoRemove: true, RestartPolicy: { Name: 'always' } },
        /can't create 'AutoRemove' container with restart policy/,
      ],
      [
        { LogConfig: { Type: 'json-file', Config: { moon: 'x' } } },
        /unknown log opt 'moon' for json-file log driver/,
      ],
    ];
    for (const [HostConfig, words] of wrong) {
      const { status, message } = await refusal(subject, { HostConfig });
      assert.equal(status, 400, JSON.stringify(HostConfig));
      assert.match(message, words);
    }
    // dockerd looks for a plugin of that name, for a quarter of a minute.
    if (subject.name === 'berth') {
      const unknown = await refusal(subject, { HostConfig: { LogConfig: { Type: 'moon' } } });
      assert.deepEqual(unknown, { status: 501, message: "the log driver 'moon' is not supported" });
    }
    const { message } = await refusal(subject, { HostConfig: { Isolation: 'moon' } });
    assert.match(message, /Invalid isolation: "moon" - linux only supports 'default'/);
    await using made = await make(subject, ['true'], {
      HostConfig: {
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '3' } },
        Isolation: 'default',
      },
    });
    const { HostConfig } = await made.inspect();
    assert.deepEqual(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 });
    assert.deepEqual(HostConfig.LogConfig, {
      Type: 'json-file',
      Config: { 'max-size': '1m', 'max-file': '3' },
    });
    assert.equal(HostConfig.Isolation, 'default');
  },
  'a health check is checked as dockerd does, and comes back': async (subject) => {
    const wrong: readonly [object, RegExp][] = [
      [{ Test: ['CMD', 'true'], Interval: 5 }, /Interval in Healthcheck cannot be less than 1ms/],
      [{ Test: ['CMD', 'true'], Timeout: 5 }, /Timeout in Healthcheck cannot be less than 1ms/],
      [{ Test: ['CMD', 'true'], StartPeriod: 5 }, /StartPeriod in Healthcheck cannot be less than 1ms/],
      [{ Retries: -5 }, /Retries in Healthcheck cannot be negative/],
    ];
    for (const [Healthcheck, words] of wrong) {
      const { status, message } = await refusal(subject, { Healthcheck });
      assert.equal(status, 400);
      assert.match(message, words);
    }
    const { status } = await refusal(subject, { Healthcheck: { Test: ['MOON'] } });
    const because = 'dockerd 20.10 finds out when it runs the check';
    assert.equal(status, differs(subject, { berth: 400, dockerd: 201, because }));
    const Healthcheck = { Test: ['CMD-SHELL', 'true'], Interval: 60e9, Timeout: 5e9, Retries: 2 };
    await using made = await make(subject, ['true'], { Healthcheck, Shell: ['/bin/sh', '-c'] });
    const { Config } = await made.inspect();
    assert.deepEqual(Config.Healthcheck, Healthcheck);
    assert.deepEqual(Config.Shell, ['/bin/sh', '-c']);
  },
  'a privileged container has the devices and paths of the host': async (subject) => {
    await using made = await make(subject, ['true'], { HostConfig: { Privileged: true } });
    const { HostConfig } = await made.inspect();
    assert.deepEqual(
      [HostConfig.Privileged, HostConfig.SecurityOpt, HostConfig.MaskedPaths, HostConfig.ReadonlyPaths],
      [true, ['label=disable'], null, null],
    );
    const started = await ask(subject, `POST /v1.41/containers/${made.id}/start`);
    // runc asks for all capabilities, which not every root has.
    if (subject.name === 'dockerd' && started.status !== 204) return;
    const script = `[ -e /dev/loop-control ] && echo devices; grep -c Seccomp:.0 /proc/self/status
      grep ' /sys ' /proc/mounts | cut -d ' ' -f 4 | cut -d , -f 1; head -c 0 /dev/fuse && echo opened`;
    assert.deepEqual(await said(subject, script, { HostConfig: { Privileged: true } }), [
      'devices',
      '1',
      'rw',
      'opened',
    ]);
  },
};
