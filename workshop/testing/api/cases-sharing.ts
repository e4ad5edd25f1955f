import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import type { Case } from './case.ts';
import { linesOf, make, NETWORKED, refusal, run, said } from './containers.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

const join = (id: string) => `container:${id}`;

/** Namespaces, of containers' own, of the host, and of other containers; and links. */
export const sharingCases: Readonly<Record<string, Case>> = {
  'modes are checked as dockerd does': async (subject) => {
    const wrong: readonly [Record<string, unknown>, RegExp][] = [
      [{ HostConfig: { CgroupnsMode: 'moon' } }, /invalid cgroup namespace mode: moon/],
      [{ HostConfig: { IpcMode: 'container:nobody' } }, /No such container: nobody/],
      [{ HostConfig: { PidMode: 'container:nobody' } }, /No such container: nobody/],
      [{ HostConfig: { NetworkMode: 'container:' } }, /invalid container format container:<name\|id>/],
      [{ HostConfig: { Runtime: 'moon' } }, /unknown runtime specified moon/i],
      [{ HostConfig: { Links: ['nobody:x'] } }, /could not get container for nobody: No such container/],
      [
        { Hostname: 'x', HostConfig: { NetworkMode: 'container:x' } },
        /conflicting options: hostname and the network mode/,
      ],
      [{ Hostname: 'x', HostConfig: { UTSMode: 'host' } }, /conflicting options: hostname and the UTS mode/],
      [
        { HostConfig: { NetworkMode: 'host', Links: ['x:y'] } },
        /conflicting options: host type networking can't be used with links/,
      ],
      [
        { HostConfig: { NetworkMode: 'container:x', Dns: ['1.1.1.1'] } },
        /conflicting options: dns and the network mode/,
      ],
      [
        { HostConfig: { NetworkMode: 'container:x', ExtraHosts: ['a:1.1.1.1'] } },
        /conflicting options: custom host-to-IP mapping and the network mode/,
      ],
      [
        { ExposedPorts: { '80/tcp': {} }, HostConfig: { NetworkMode: 'container:x' } },
        /conflicting options: port exposing and the container type network mode/,
      ],
      [
        { MacAddress: '02:42:ac:11:00:99', HostConfig: { NetworkMode: 'container:x' } },
        /conflicting options: mac-address and the network mode/,
      ],
    ];
    for (const [body, words] of wrong) {
      const { status, message } = await refusal(subject, body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.match(message, words);
    }
    for (const mode of ['IpcMode', 'PidMode', 'UTSMode', 'UsernsMode']) {
      const { status } = await refusal(subject, { HostConfig: { [mode]: 'moon' } });
      assert.equal(
        status,
        differs(subject, { berth: 400, dockerd: 201, because: 'dockerd 20.10 fails at the start' }),
        mode,
      );
    }
  },
  'containers share their network, processes and memory': async (subject) => {
    await using donor = await run(subject, 'echo secret >/dev/shm/note; exec sleep 1000', {
      Hostname: 'pier',
      Domainname: 'harbour.test',
      HostConfig: { IpcMode: 'shareable', ShmSize: 2 ** 20 },
    });
    await untilAsleep(subject, donor.id);
    const script = `hostname; cat /etc/hosts | tail -n 1; ip -4 -o addr show eth0 | awk '{ print $4 }'
      cat /dev/shm/note; df -k /dev/shm | tail -n 1 | awk '{ print $2 }'; tr '\\0' ' ' </proc/1/cmdline`;
    const modes = {
      NetworkMode: join(donor.name),
      PidMode: join(donor.id),
      IpcMode: join(donor.id.slice(0, 12)),
    };
    await using guest = await run(subject, script, { HostConfig: modes });
    await guest.ended();
    const container = await guest.inspect();
    assert.deepEqual(
      [container.HostConfig.NetworkMode, container.HostConfig.PidMode, container.HostConfig.IpcMode],
      [join(donor.id), join(donor.id), join(donor.id)],
    );
    assert.deepEqual(container.NetworkSettings.Networks, {});
    assert.equal(container.NetworkSettings.IPAddress, '');
    const { NetworkSettings } = await donor.inspect();
    const { IPAddress, IPPrefixLen } = NetworkSettings.Networks.bridge;
    assert.deepEqual(await linesOf(subject, guest.id), [
      'pier',
      `${IPAddress}\tpier.harbour.test pier`,
      `${IPAddress}/${IPPrefixLen}`,
      'secret',
      '1024',
      'sleep 1000 ',
    ]);
  },
  'a container whose donor does not run, or does not share, does not start': async (subject) => {
    await using donor = await make(subject, ['sleep', '1000'], NETWORKED);
    const start = async (HostConfig: object) => {
      await using guest = await make(subject, ['true'], { HostConfig });
      const { status, json } = await ask(subject, `POST /v1.41/containers/${guest.id}/start`);
      assert.ok(status >= 400);
      return json().message;
    };
    assert.match(
      await start({ NetworkMode: join(donor.id) }),
      /cannot join network of a non running container: [0-9a-f]{64}/,
    );
    assert.match(await start({ IpcMode: join(donor.id) }), /can't join IPC of container .* is not running/);
    assert.match(await start({ PidMode: join(donor.id) }), /non running|is not running/);
    assert.match(
      await start({ Links: [`${donor.name}:db`] }),
      /Cannot link to a non running container: \/case-/,
    );
    await donor.start();
    assert.match(await start({ IpcMode: join(donor.id) }), /non-shareable IPC \(hint: use IpcMode:shareable/);
  },
  'the namespaces of the host are shared where that was asked': async (subject) => {
    const script = `for n in ipc uts net pid cgroup; do readlink /proc/self/ns/$n; done; hostname`;
    const own = await said(subject, script, NETWORKED);
    const host = await said(subject, script, {
      HostConfig: { IpcMode: 'host', UTSMode: 'host', NetworkMode: 'host', PidMode: 'host' },
    });
    for (const index of [0, 1, 2, 3]) assert.notEqual(own[index], host[index]);
    assert.equal(host[5], hostname());
    const inside = await said(subject, 'cat /proc/self/cgroup; ls /sys/fs/cgroup | wc -l', {
      HostConfig: { CgroupnsMode: 'private' },
    });
    assert.ok(
      inside.slice(0, -1).every((line) => line.endsWith(':/')),
      inside.join(),
    );
    assert.ok(Number(inside.at(-1)) > 3);
    await using near = await make(subject, ['true'], { HostConfig: { PidMode: 'host' } });
    assert.deepEqual((await near.inspect()).HostConfig.SecurityOpt, ['label=disable']);
    const without = await said(subject, 'ls /dev', { HostConfig: { IpcMode: 'none' } });
    assert.ok(!without.includes('shm'));
  },
  'links give lines in /etc/hosts and variables': async (subject) => {
    await using target = await run(subject, 'exec sleep 1000', {
      Hostname: 'pier',
      Env: ['A=1'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    });
    const links = [`${target.name}:my-db`, target.name];
    await using guest = await run(
      subject,
      `grep -E 'pier' /etc/hosts; env | grep -E '^MY_DB' | sort; exec sleep 1000`,
      { HostConfig: { Links: links } },
    );
    const { HostConfig } = await guest.inspect();
    assert.deepEqual(HostConfig.Links.toSorted(), [
      `/${target.name}:/${guest.name}/${target.name}`,
      `/${target.name}:/${guest.name}/my-db`,
    ]);
    const ip = (await target.inspect()).NetworkSettings.IPAddress;
    const env = [
      'MY_DB_ENV_A=1',
      `MY_DB_NAME=/${guest.name}/my-db`,
      `MY_DB_PORT=udp://${ip}:53`,
      `MY_DB_PORT_53_UDP=udp://${ip}:53`,
      `MY_DB_PORT_53_UDP_ADDR=${ip}`,
      'MY_DB_PORT_53_UDP_PORT=53',
      'MY_DB_PORT_53_UDP_PROTO=udp',
      `MY_DB_PORT_80_TCP=tcp://${ip}:80`,
      `MY_DB_PORT_80_TCP_ADDR=${ip}`,
      'MY_DB_PORT_80_TCP_PORT=80',
      'MY_DB_PORT_80_TCP_PROTO=tcp',
    ];
    const lines = await untilLines(subject, guest.id, 2 + env.length);
    assert.deepEqual(
      lines.slice(0, 2).toSorted(),
      [`${ip}\t${target.name} pier`, `${ip}\tmy-db pier ${target.name}`].toSorted(),
    );
    assert.deepEqual(lines.slice(2), env);
  },
  'a MAC address, groups and an init are taken': async (subject) => {
    const mac = '02:42:ac:11:00:99';
    const lines = await said(subject, 'cat /sys/class/net/eth0/address; id -G', {
      MacAddress: mac,
      HostConfig: { GroupAdd: ['99', 'daemon'] },
    });
    assert.equal(lines[0], mac);
    assert.match(lines[1] ?? '', /(^| )99( |$)/);
    await using made = await make(subject, ['true'], {
      MacAddress: mac,
      HostConfig: { GroupAdd: ['99'], Init: true, Annotations: { 'test.harbour': 'yes' } },
    });
    const { HostConfig, Config } = await made.inspect();
    assert.deepEqual([HostConfig.GroupAdd, HostConfig.Init, Config.MacAddress], [['99'], true, mac]);
    assert.deepEqual(
      HostConfig.Annotations,
      differs(subject, {
        berth: { 'test.harbour': 'yes' },
        dockerd: undefined,
        because: 'annotations came with API 1.43',
      }),
    );
    await using unknown = await make(subject, ['true'], { HostConfig: { GroupAdd: ['nobodies'] } });
    const started = await ask(subject, `POST /v1.41/containers/${unknown.id}/start`);
    assert.match(started.json().message, /unable to find group nobodies/i);
  },
  'an init is the first process, passes signals on and reaps': async (subject) => {
    // Debian's dockerd comes without its init.
    if (subject.name !== 'berth') return;
    await using made = await run(
      subject,
      `tr '\\0' ' ' </proc/1/cmdline | head -n 1; (sleep 0.05 &) ; trap 'echo told; exit 3' TERM
       sleep 0.3; ps -o stat,comm | grep -c '^Z'; echo up; while :; do sleep 0.1; done`,
      { HostConfig: { Init: true } },
    );
    const lines = await untilLines(subject, made.id, 3);
    assert.match(lines[0] ?? '', /^\/sbin\/docker-init -- sh -c /);
    assert.deepEqual(lines.slice(1), ['0', 'up']);
    assert.equal((await made.inspect()).Path, 'sh');
    assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/stop?t=10`)).status, 204);
    assert.equal((await made.inspect()).State.ExitCode, 3);
  },
};

/** Waits until so many lines were logged. */
async function untilLines(subject: Subject, id: string, count: number): Promise<readonly string[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const lines = await linesOf(subject, id);
    if (lines.length >= count) return lines;
    if (Date.now() > deadline) throw new Error(`only ${lines.length} lines: ${lines.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a container has become its `sleep`, and what stands before it is done. */
async function untilAsleep(subject: Subject, id: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const top: Loose = await ask(subject, `GET /v1.41/containers/${id}/top`);
    if (/sleep/.test(top.text)) return;
    if (Date.now() > deadline) throw new Error(`it does not come so far: ${top.text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
