import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, refusal, run, said, uniqueName } from './containers.ts';
import { ask, differs, type Loose } from './wire.ts';

const MIB = 2 ** 20;

/** What a container may use of the machine. */
export const limitCases: Readonly<Record<string, Case>> = {
  'limits come back from inspect, with what dockerd makes of them': async (subject) => {
    const asked = {
      Memory: 64 * MIB,
      MemoryReservation: 32 * MIB,
      MemorySwappiness: 10,
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: 25_000,
      CpusetCpus: '0',
      CpusetMems: '0',
      PidsLimit: 50,
      BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: MIB }],
      BlkioDeviceWriteBps: [{ Path: '/dev/null', Rate: MIB }],
      BlkioDeviceReadIOps: [{ Path: '/dev/null', Rate: 100 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/null', Rate: 100 }],
      Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      CgroupParent: '/harbour',
      OomScoreAdj: 300,
      ShmSize: MIB,
      Sysctls: { 'net.ipv4.ip_forward': '0' },
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'r' }],
      DeviceCgroupRules: ['c 10:229 rwm'],
    };
    await using made = await make(subject, ['true'], { HostConfig: asked });
    const { HostConfig } = await made.inspect();
    for (const [name, value] of Object.entries(asked)) assert.deepEqual(HostConfig[name], value, name);
    assert.equal(HostConfig.MemorySwap, 128 * MIB);
    assert.equal(HostConfig.OomKillDisable, false);
  },
  'limits are checked as dockerd does': async (subject) => {
    const processors = (await ask(subject, 'GET /v1.41/info')).json().NCPU as number;
    const wrong: readonly [object, RegExp][] = [
      [{ Memory: 4096 }, /Minimum memory limit allowed is 6MB/],
      [{ Memory: 64 * MIB, MemorySwap: 1000 }, /Minimum memoryswap limit should be larger than memory limit/],
      [{ MemorySwap: 64 * MIB }, /You should always set the Memory limit when using Memoryswap limit/],
      [{ MemorySwappiness: 101 }, /Invalid value: 101, valid memory swappiness range is 0-100/],
      [{ MemoryReservation: 4096 }, /Minimum memory reservation allowed is 6MB/],
      [
        { Memory: 8 * MIB, MemoryReservation: 9 * MIB },
        /Minimum memory limit can not be less than memory reservation/,
      ],
      [{ NanoCpus: 1e9, CpuPeriod: 1e5 }, /Nano CPUs and CPU Period cannot both be set/],
      [{ NanoCpus: 1e9, CpuQuota: 1e5 }, /Nano CPUs and CPU Quota cannot both be set/],
      [{ NanoCpus: (processors + 1) * 1e9 }, /Range of CPUs is from 0.01 to \d+.00, as there are only/],
      [{ NanoCpus: -1 }, /Range of CPUs is from 0.01/],
      [{ CpuPeriod: 1 }, /CPU cfs period can not be less than 1ms/],
      [{ CpuQuota: 1 }, /CPU cfs quota can not be less than 1ms/],
      [{ CpusetCpus: `0-${processors}` }, /Requested CPUs are not available - requested 0-\d+, available: 0/],
      [{ CpusetCpus: 'x' }, /Invalid value x for cpuset cpus/],
      [{ CpusetMems: '99' }, /Requested memory nodes are not available - requested 99, available: 0/],
      [{ ShmSize: -1 }, /SHM size can not be less than 0/],
      [{ OomScoreAdj: 2000 }, /Invalid value 2000, range for oom score adj is \[-1000, 1000\]/],
    ];
    for (const [HostConfig, words] of wrong) {
      const { status, message } = await refusal(subject, { HostConfig });
      assert.equal(status, 400, JSON.stringify(HostConfig));
      assert.match(message, words);
    }
  },
  'what would only fail at a start, or be ignored, is refused at create': async (subject) => {
    const refused: readonly [object, number, RegExp][] = [
      [{ Ulimits: [{ Name: 'moon', Soft: 1, Hard: 1 }] }, 400, /invalid ulimit type: moon/],
      [{ Ulimits: [{ Name: 'nofile', Soft: 3, Hard: 1 }] }, 400, /soft limit must be less/],
      [{ Sysctls: { 'kernel.panic': '1' } }, 400, /"kernel.panic" is not in a separate kernel namespace/],
      [
        { Sysctls: { 'net.ipv4.ip_forward': '0' }, NetworkMode: 'host' },
        400,
        /"net.ipv4.ip_forward" not allowed in host network namespace/,
      ],
      [{ DeviceCgroupRules: ['moon'] }, 400, /invalid device cgroup rule format: 'moon'/],
      [{ BlkioWeightDevice: [{ Path: 'vda', Weight: 100 }] }, 400, /an absolute path/],
      [{ KernelMemory: 64 * MIB }, 501, /HostConfig.KernelMemory is not supported/],
      [{ KernelMemoryTCP: 64 * MIB }, 501, /HostConfig.KernelMemoryTCP is not supported/],
      [{ CpuCount: 2 }, 501, /HostConfig.CpuCount is not supported/],
      [{ CpuPercent: 2 }, 501, /HostConfig.CpuPercent is not supported/],
      [{ Cgroup: 'container:x' }, 501, /HostConfig.Cgroup is not supported/],
      [
        { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] },
        501,
        /HostConfig.DeviceRequests is not supported/,
      ],
    ];
    for (const [HostConfig, status, words] of refused) {
      const answer = await refusal(subject, { HostConfig });
      const expected = differs(subject, {
        berth: status,
        dockerd: 201,
        because: 'dockerd 20.10 takes what it finds wrong at a start, or leaves it without effect',
      });
      assert.equal(answer.status, expected, JSON.stringify(HostConfig));
      if (expected !== 201) assert.match(answer.message, words);
    }
    const { status } = await refusal(subject, { HostConfig: { StorageOpt: { size: '1G' } } });
    assert.equal(
      status,
      differs(subject, { berth: 501, dockerd: 500, because: 'dockerd has it on xfs alone' }),
    );
  },
  'what the kernel cannot limit is left out with a warning': async (subject) => {
    const created = await ask(subject, `POST /v1.41/containers/create?name=${uniqueName()}`, {
      body: { Image: 'busybox', HostConfig: { OomKillDisable: true } },
    });
    const { Id, Warnings } = created.json();
    await ask(subject, `DELETE /v1.41/containers/${Id}`);
    assert.equal(Warnings.length, 1);
    assert.match(Warnings[0], /OOM killer is disabled|does not support OomKillDisable/);
  },
  'limits hold inside: memory, swap, processors, processes, files, sysctls, score': async (subject) => {
    const files = [
      'memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes',
      'memory/memory.swappiness cpu/cpu.shares cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us cpuset/cpuset.cpus',
      'pids/pids.max',
      'memory.max memory.swap.max memory.low cpu.max cpuset.cpus pids.max',
    ].join(' ');
    const lines = await said(
      subject,
      `cd /sys/fs/cgroup; for f in ${files}; do [ -e $f ] && echo $f $(cat $f); done
       ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj /proc/sys/kernel/msgmax
       cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start
       df -k /dev/shm | tail -n 1 | awk '{ print $2 }'`,
      {
        HostConfig: {
          Memory: 64 * MIB,
          MemorySwap: 96 * MIB,
          MemoryReservation: 32 * MIB,
          MemorySwappiness: 10,
          CpuShares: 512,
          CpuPeriod: 50_000,
          CpuQuota: 25_000,
          CpusetCpus: '0',
          PidsLimit: 50,
          OomScoreAdj: 300,
          ShmSize: 4 * MIB,
          Ulimits: [
            { Name: 'nofile', Soft: 100, Hard: 200 },
            { Name: 'core', Soft: 0, Hard: 0 },
          ],
          Sysctls: { 'kernel.msgmax': '9000' },
        },
      },
    );
    const v2 = lines.some((line) => line.startsWith('memory.max'));
    const cgroup = v2
      ? [
          `memory.max ${64 * MIB}`,
          `memory.swap.max ${32 * MIB}`,
          `memory.low ${32 * MIB}`,
          'cpu.max 25000 50000',
          'cpuset.cpus 0',
          'pids.max 50',
        ]
      : [
          `memory/memory.limit_in_bytes ${64 * MIB}`,
          `memory/memory.memsw.limit_in_bytes ${96 * MIB}`,
          `memory/memory.soft_limit_in_bytes ${32 * MIB}`,
          'memory/memory.swappiness 10',
          'cpu/cpu.shares 512',
          'cpu/cpu.cfs_period_us 50000',
          'cpu/cpu.cfs_quota_us 25000',
          'cpuset/cpuset.cpus 0',
          'pids/pids.max 50',
        ];
    const rest = ['100', '200', '0', '300', '9000', '0\t2147483647', '0', '4096'];
    assert.deepEqual(lines, [...cgroup, ...rest]);
  },
  'update changes the limits of a container that runs': async (subject) => {
    await using made = await run(subject, 'exec sleep 1000', {
      HostConfig: { Memory: 64 * MIB, PidsLimit: 50 },
    });
    const update = async (body: object) => {
      const { status, json } = await ask(subject, `POST /v1.41/containers/${made.id}/update`, { body });
      return [status, json().message ?? json().Warnings?.length ?? 0];
    };
    assert.deepEqual(await update({ Memory: 32 * MIB, CpuShares: 512, PidsLimit: 20 }), [200, 0]);
    assert.deepEqual(await update({ Memory: 128 * MIB, MemorySwap: 256 * MIB, CpuQuota: 50_000 }), [200, 0]);
    assert.deepEqual(await update({ CpusetCpus: '0', MemoryReservation: 32 * MIB }), [200, 0]);
    const { HostConfig, State } = await made.inspect();
    assert.deepEqual(
      [HostConfig.Memory, HostConfig.MemorySwap, HostConfig.CpuShares, HostConfig.PidsLimit],
      [128 * MIB, 256 * MIB, 512, 20],
    );
    assert.deepEqual(
      [HostConfig.CpuQuota, HostConfig.CpusetCpus, HostConfig.MemoryReservation],
      [50_000, '0', 32 * MIB],
    );
    assert.equal(State.Status, 'running');
    // Read in a container that sees the cgroup as the host does.
    const shown = await readCgroups(subject, State.Pid);
    assert.deepEqual(shown, shown.v2 ? v2Limits : v1Limits);
    assert.deepEqual(await update({ PidsLimit: -1 }), [200, 0]);
    assert.ok([0, null].includes((await made.inspect()).HostConfig.PidsLimit));
  },
  'update changes a container that does not run, and its restart policy': async (subject) => {
    await using made = await make(subject, ['true'], { HostConfig: { Memory: 64 * MIB } });
    const { status } = await ask(subject, `POST /v1.41/containers/${made.id}/update`, {
      body: {
        Memory: 32 * MIB,
        NanoCpus: 5e8,
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
      },
    });
    assert.equal(status, 200);
    const { HostConfig } = await made.inspect();
    assert.deepEqual([HostConfig.Memory, HostConfig.MemorySwap], [32 * MIB, 128 * MIB]);
    assert.deepEqual(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 });
    const events = await ask(
      subject,
      `GET /v1.41/events?since=0&until=${Math.ceil(Date.now() / 1000) + 1}&filters=${encodeURIComponent(
        JSON.stringify({ container: [made.id], event: ['update'] }),
      )}`,
    );
    assert.deepEqual(
      events.lines().map((event: Loose) => [event.Action, event.Actor.Attributes.name]),
      [['update', made.name]],
    );
  },
  'update is refused as dockerd does': async (subject) => {
    await using made = await make(subject, ['true'], { HostConfig: { NanoCpus: 5e8 } });
    await using removing = await make(subject, ['true'], { HostConfig: { AutoRemove: true } });
    const conflict = /^Cannot update container [0-9a-f]{64}: /;
    const wrong: readonly [string, object, number, RegExp][] = [
      [made.id, { Memory: 4096 }, 400, /Minimum memory limit allowed is 6MB/],
      [made.id, { Memory: 64 * MIB }, 409, /Memory limit should be smaller than already set memoryswap/],
      [made.id, { CpuQuota: 50_000 }, 409, /CPU Quota cannot be updated as NanoCPUs has already been set/],
      [made.id, { CpuPeriod: 50_000 }, 409, /CPU Period cannot be updated as NanoCPUs has already been set/],
      [made.id, { RestartPolicy: { Name: 'moon' } }, 400, /moon/],
      [removing.id, { RestartPolicy: { Name: 'always' } }, 409, /because AutoRemove is enabled/],
      ['nobody', { CpuShares: 2 }, 404, /No such container: nobody/],
    ];
    for (const [id, body, status, words] of wrong) {
      const answer = await ask(subject, `POST /v1.41/containers/${id}/update`, { body });
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.match(answer.json().message, words);
      if (status === 409) assert.match(answer.json().message, conflict);
    }
    const ignored = await ask(subject, `POST /v1.41/containers/${made.id}/update`, {
      body: { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }] },
    });
    assert.equal(
      ignored.status,
      differs(subject, { berth: 501, dockerd: 200, because: 'dockerd leaves it without effect' }),
    );
  },
};

const v1Limits = {
  v2: false,
  'memory.limit_in_bytes': String(128 * MIB),
  'memory.memsw.limit_in_bytes': String(256 * MIB),
  'cpu.shares': '512',
  'cpu.cfs_quota_us': '50000',
  'cpuset.cpus': '0',
  'pids.max': '20',
};
const v2Limits = {
  v2: true,
  'memory.max': String(128 * MIB),
  'memory.swap.max': String(128 * MIB),
  'cpu.max': '50000 100000',
  'cpuset.cpus': '0',
  'pids.max': '20',
};

/** The limits of a container in its cgroups, read through a container in the host's namespaces of processes and cgroups. */
async function readCgroups(subject: Parameters<Case>[0], pid: number): Promise<Loose> {
  const lines = await said(
    subject,
    `cd /sys/fs/cgroup
     if [ -e cgroup.controllers ]; then echo v2 true; d=.$(sed -n 's/^0:://p' /proc/${pid}/cgroup)
       for f in memory.max memory.swap.max cpu.max cpuset.cpus pids.max; do echo $f $(cat $d/$f); done
     else echo v2 false; c=$(sed -n 's/^[0-9]*:memory://p' /proc/${pid}/cgroup)
       for f in memory.limit_in_bytes memory.memsw.limit_in_bytes cpu.shares cpu.cfs_quota_us cpuset.cpus pids.max
       do echo $f $(cat /host/\${f%%.*}$c/$f); done
     fi`,
    {
      HostConfig: { PidMode: 'host', CgroupnsMode: 'host', Binds: ['/sys/fs/cgroup:/host:ro'] },
    },
  );
  const entries = lines.map((line) => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), line.slice(space + 1)] as const;
  });
  const { v2, ...files } = Object.fromEntries(entries);
  return { v2: v2 === 'true', ...files };
}
