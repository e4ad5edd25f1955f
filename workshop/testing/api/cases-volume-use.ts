import assert from 'node:assert/strict';
import { tarOf } from '../tar.ts';
import type { Case } from './case.ts';
import { makeVolume } from './cases-volumes.ts';
import { make, ran, refusal, run, said, uniqueName } from './containers.ts';
import { ask, type Loose, type Subject } from './wire.ts';

const API = '/v1.41';
const volumeOf = async (subject: Subject, name: string) => await ask(subject, `GET ${API}/volumes/${name}`);

/** Volumes in containers. */
export const volumeUseCases: Readonly<Record<string, Case>> = {
  'a named volume is made where it is not there, and keeps what is written': async (subject) => {
    const name = uniqueName('volume');
    const HostConfig = { Binds: [`${name}:/data`] };
    {
      await using made = await ran(subject, 'echo kept > /data/file', { HostConfig });
      const [mount] = (await made.inspect()).Mounts;
      assert.equal((await volumeOf(subject, name)).json().Mountpoint, mount.Source);
      assert.deepEqual(
        { ...mount, Source: '' },
        {
          Type: 'volume',
          Name: name,
          Source: '',
          Destination: '/data',
          Driver: 'local',
          Mode: 'z',
          RW: true,
          Propagation: '',
        },
      );
    }
    assert.deepEqual(await said(subject, 'cat /data/file', { HostConfig }), ['kept']);
    assert.deepEqual(
      await said(subject, 'touch /data/x 2>&1; cat /data/file', {
        HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/data', ReadOnly: true }] },
      }),
      ['touch: /data/x: Read-only file system', 'kept'],
    );
    assert.equal((await ask(subject, `DELETE ${API}/volumes/${name}`)).status, 204);
  },
  'a volume is made with what the mount says of it': async (subject) => {
    const name = uniqueName('volume');
    const VolumeOptions = {
      NoCopy: true,
      Labels: { team: 'harbour' },
      DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } },
    };
    const Mounts = [{ Type: 'volume', Source: name, Target: '/data', VolumeOptions }];
    {
      await using _made = await make(subject, ['true'], { HostConfig: { Mounts } });
      const { Labels, Options } = (await volumeOf(subject, name)).json();
      assert.deepEqual([Labels, Options], [VolumeOptions.Labels, VolumeOptions.DriverConfig.Options]);
    }
    assert.equal((await ask(subject, `DELETE ${API}/volumes/${name}`)).status, 204);
    if (subject.name === 'dockerd') return;
    VolumeOptions.DriverConfig = {
      Name: 'local',
      Options: { type: 'x', device: 'y', o: '', colour: 'z' } as never,
    };
    const { status, message } = await refusal(subject, { HostConfig: { Mounts } });
    assert.deepEqual([status, /invalid option: "colour"/.test(message)], [400, true]);
    assert.equal((await volumeOf(subject, name)).status, 404);
  },
  'a volume that a container has is not removed': async (subject) => {
    await using volume = await makeVolume(subject);
    await using user = await make(subject, ['true'], {
      HostConfig: { Binds: [`${volume.name}:/data`], VolumeDriver: 'local' },
    });
    for (const query of ['', '?force=1']) {
      const { status, json } = await ask(subject, `DELETE ${API}/volumes/${volume.name}${query}`);
      assert.equal(status, 409);
      assert.match(json().message, new RegExp(`remove ${volume.name}: volume is in use - \\[${user.id}\\]`));
    }
  },
  'what the image has at a volume’s place is in the volume, with its owners and modes': async (subject) => {
    // An image with something in the place, and the place declared as a volume.
    const image = uniqueName('image');
    const script = `mkdir -p /data/sub && echo image > /data/file && ln /data/file /data/sub/hard &&
      ln -s file /data/link && chown -R 7:8 /data && chmod 750 /data && chmod 4711 /data/file`;
    await using source = await ran(subject, script);
    const commit = `POST ${API}/commit?container=${source.id}&repo=${image}`;
    assert.equal(
      (await ask(subject, commit, { body: { Volumes: { '/data': {} }, Cmd: ['true'] } })).status,
      201,
    );
    await using _image = {
      [Symbol.asyncDispose]: async () => void (await ask(subject, `DELETE ${API}/images/${image}?force=1`)),
    };
    const look = `cd /data; stat -c '%a %u:%g %h' . file sub link; readlink link; cat sub/hard`;
    const expected = ['750 7:8 3', '4711 7:8 2', '755 7:8 2', '777 7:8 1', 'file', 'image'];
    // Without a name, as the image asks for it.
    await using made = await make(subject, ['sh', '-c', look], { Image: image });
    const { Mounts, Config } = await made.inspect();
    assert.deepEqual(Config.Volumes, { '/data': {} });
    assert.match(Mounts[0].Name, /^[0-9a-f]{64}$/);
    assert.deepEqual(Mounts.length, 1);
    // Before it has run at all.
    const archive = await ask(subject, `GET ${API}/containers/${made.id}/archive?path=/data/file`);
    assert.equal(archive.status, 200);
    await using volume = await makeVolume(subject);
    const HostConfig = { Binds: [`${volume.name}:/data`] };
    assert.deepEqual(await said(subject, look, { Image: image, HostConfig }), expected);
    // What is in it already stays as it is.
    const change = 'rm /data/file /data/sub/hard /data/link && rmdir /data/sub && echo mine > /data/own';
    assert.deepEqual(await said(subject, change, { Image: image, HostConfig }), ['']);
    assert.deepEqual(await said(subject, 'ls /data', { Image: image, HostConfig }), ['own']);
    // Or is left out where that is asked for.
    await using empty = await makeVolume(subject);
    for (const more of [
      { Binds: [`${empty.name}:/data:nocopy`] },
      { Mounts: [{ Type: 'volume', Source: empty.name, Target: '/data', VolumeOptions: { NoCopy: true } }] },
    ])
      assert.deepEqual(await said(subject, 'ls /data', { Image: image, HostConfig: more }), ['']);
  },
  'volumes without a name go with their container where that is asked for': async (subject) => {
    const more = { Volumes: { '/a': {} }, HostConfig: { Mounts: [{ Type: 'volume', Target: '/b' }] } };
    const namesOf = async (made: { inspect(): Promise<Loose> }) =>
      (await made.inspect()).Mounts.map(({ Name }: Loose) => Name as string);
    const kept = await ran(subject, 'true', more);
    const names = await namesOf(kept);
    assert.equal(names.length, 2);
    assert.equal((await ask(subject, `DELETE ${API}/containers/${kept.id}`)).status, 204);
    for (const name of names) {
      assert.equal((await volumeOf(subject, name)).status, 200);
      await ask(subject, `DELETE ${API}/volumes/${name}`);
    }
    await using named = await makeVolume(subject);
    const HostConfig = { ...more.HostConfig, Binds: [`${named.name}:/c`] };
    const taken = await ran(subject, 'true', { ...more, HostConfig });
    const three = (await namesOf(taken)).toSorted();
    assert.equal((await ask(subject, `DELETE ${API}/containers/${taken.id}?v=1`)).status, 204);
    for (const name of three)
      assert.equal((await volumeOf(subject, name)).status, name === named.name ? 200 : 404, name);
    // And with one that removes itself.
    const itself = await make(subject, ['true'], {
      ...more,
      HostConfig: { ...HostConfig, AutoRemove: true },
    });
    const its = await namesOf(itself);
    const waiting = ask(subject, `POST ${API}/containers/${itself.id}/wait?condition=removed`);
    await itself.start();
    await waiting;
    while ((await ask(subject, `GET ${API}/containers/${itself.id}/json`)).status !== 404);
    for (const name of its)
      assert.equal((await volumeOf(subject, name)).status, name === named.name ? 200 : 404, name);
  },
  'another container’s volumes are mounted too': async (subject) => {
    await using first = await ran(subject, 'echo first > /data/file', { Volumes: { '/data': {} } });
    const HostConfig = { VolumesFrom: [`${first.name}:ro`] };
    const script = 'cat /data/file; touch /data/x 2>&1';
    assert.deepEqual(await said(subject, script, { HostConfig }), [
      'first',
      'touch: /data/x: Read-only file system',
    ]);
    // Its volume is still there: the first one has it.
    assert.equal((await volumeOf(subject, (await first.inspect()).Mounts[0].Name)).status, 200);
  },
  'a volume may be something that is mounted': async (subject) => {
    const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=64k,mode=700,noexec' };
    await using volume = await makeVolume(subject, { DriverOpts });
    assert.deepEqual((await volumeOf(subject, volume.name)).json().Options, DriverOpts);
    const HostConfig = { Binds: [`${volume.name}:/data`] };
    await using made = await run(
      subject,
      "grep ' /data ' /proc/mounts; stat -c %a /data; echo there > /data/file; sleep 60",
      { HostConfig },
    );
    // Two at once see one.
    await using other = await run(subject, 'until cat /data/file; do :; done', { HostConfig });
    assert.equal(await other.ended(), 0);
    const { text } = await ask(subject, `GET ${API}/containers/${made.id}/logs?stdout=1`);
    assert.match(text, /tmpfs \/data tmpfs rw,noexec,.*size=64k/);
    assert.match(text, /700/);
    assert.equal((await ask(subject, `POST ${API}/containers/${made.id}/kill`)).status, 204);
    await made.ended();
    // It was in memory, and nobody had it any more.
    assert.deepEqual(await said(subject, 'ls /data', { HostConfig }), ['']);
  },
  'a volume that can’t be mounted keeps a container from starting, and says why': async (subject) => {
    const DriverOpts = { type: 'none', o: 'bind', device: '/nowhere/at/all' };
    await using volume = await makeVolume(subject, { DriverOpts });
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Binds: [`${volume.name}:/data`] } };
    const created = await ask(subject, `POST ${API}/containers/create`, { body });
    // dockerd mounts it at the create already, to look whether it is empty.
    if (created.status === 201) {
      const { Id } = created.json();
      const started = await ask(subject, `POST ${API}/containers/${Id}/start`);
      assert.ok(started.status >= 500, started.text);
      assert.match(started.json().message, /failed to mount local volume: mount \/nowhere\/at\/all:/);
      assert.equal((await ask(subject, `DELETE ${API}/containers/${Id}`)).status, 204);
    } else assert.match(created.json().message, /failed to mount local volume: mount \/nowhere\/at\/all:/);
  },
  'the machine of a volume on the network is named or numbered': async (subject) => {
    // A kernel without NFS says so; one that has it finds nobody there.
    const o = 'addr=localhost,soft,timeo=1,retrans=0';
    await using volume = await makeVolume(subject, { DriverOpts: { type: 'nfs', device: ':/none', o } });
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Binds: [`${volume.name}:/data`] } };
    const created = await ask(subject, `POST ${API}/containers/create`, { body });
    const Id = created.json().Id as string | undefined;
    const failed = Id === undefined ? created : await ask(subject, `POST ${API}/containers/${Id}/start`);
    assert.match(failed.json().message, /failed to mount local volume: .*addr=(127\.0\.0\.1|::1)/);
    if (Id !== undefined) await ask(subject, `DELETE ${API}/containers/${Id}`);
  },
  'a part of a volume is mounted, and leads nowhere else': async (subject) => {
    // API 1.45.
    if (subject.name === 'dockerd') return;
    await using volume = await makeVolume(subject);
    const all = { Binds: [`${volume.name}:/data`] };
    const script =
      'mkdir -p /data/a/b && echo deep > /data/a/b/file && ln -s /etc /data/out && ln -s ../../.. /data/up';
    assert.deepEqual(await said(subject, script, { HostConfig: all }), ['']);
    const part = (Subpath: string) => ({
      HostConfig: {
        Mounts: [{ Type: 'volume', Source: volume.name, Target: '/part', VolumeOptions: { Subpath } }],
      },
    });
    assert.deepEqual(await said(subject, 'ls /part; cat /part/file', part('a/b')), ['file', 'deep']);
    assert.deepEqual(await said(subject, 'cat /part', part('a/b/file')), ['deep']);
    // A link to the root is the volume's root.
    assert.deepEqual(await said(subject, 'ls /part', part('up')), ['a', 'out', 'up']);
    await using astray = await make(subject, ['true'], part('out'));
    const { status, json } = await ask(subject, `POST ${API}/containers/${astray.id}/start`);
    assert.equal(status, 400);
    assert.match(json().message, /cannot access path .*out: ENOENT/);
    for (const wrong of ['/etc', '../x', 'a/../../x']) {
      const refused = await refusal(subject, part(wrong));
      assert.equal(refused.status, 400, wrong);
      assert.match(refused.message, /subpath must be a relative path/);
    }
  },
  'what goes in and out of a container at rest goes to its volumes': async (subject) => {
    await using volume = await makeVolume(subject);
    const HostConfig = { Binds: [`${volume.name}:/data`] };
    await using made = await make(subject, ['true'], { HostConfig });
    const put = await ask(subject, `PUT ${API}/containers/${made.id}/archive?path=/data`, {
      body: tarOf([{ name: 'file', content: 'put' }]),
      headers: { 'content-type': 'application/x-tar' },
    });
    assert.equal(put.status, 200, put.text);
    assert.deepEqual(await said(subject, 'cat /data/file', { HostConfig }), ['put']);
  },
  'a volume that can’t be is refused with the container': async (subject) => {
    const wrong: readonly [Loose, number, RegExp][] = [
      [{ HostConfig: { Binds: ['a:/x'] } }, 400, /volume name is too short/],
      [{ HostConfig: { Binds: ['sp ace:/x'] } }, 400, /includes invalid characters for a local volume name/],
      [{ HostConfig: { Mounts: [{ Type: 'volume', Source: '-', Target: '/x' }] } }, 400, /volume name/],
    ];
    for (const [body, status, words] of wrong) {
      const refused = await refusal(subject, body);
      assert.equal(refused.status, status, JSON.stringify(body));
      assert.match(refused.message, words);
    }
    if (subject.name === 'dockerd') return;
    const root = await refusal(subject, { Volumes: { '/': {} } });
    assert.deepEqual([root.status, /destination can't be '\/'/.test(root.message)], [400, true]);
    const driver = await refusal(subject, { HostConfig: { Binds: ['good:/x'], VolumeDriver: 'moon' } });
    assert.deepEqual([driver.status, /volume driver "moon" not found/.test(driver.message)], [404, true]);
  },
};
