import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { ran, run } from './containers.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

const filters = (value: object) => `filters=${encodeURIComponent(JSON.stringify(value))}`;

async function pull(subject: Subject, image: string): Promise<void> {
  const { status, text } = await ask(subject, `POST /v1.41/images/create?fromImage=${image}&tag=latest`);
  assert.equal(status, 200);
  assert.doesNotMatch(text, /error/);
}

export const diskCases: Readonly<Record<string, Case>> = {
  'system df counts containers, images and their layers': async (subject) => {
    await using made = await run(subject, 'echo 12345 > /written; sleep 60');
    // The shell may not have come that far.
    let usage: Loose;
    let container: Loose;
    for (let turn = 0; turn < 100 && container?.SizeRw !== 6; turn++) {
      usage = (await ask(subject, 'GET /v1.41/system/df')).json();
      container = usage.Containers.find(({ Id }: Loose) => Id === made.id);
    }
    assert.equal(container.SizeRw, 6);
    assert.ok(container.SizeRootFs > 6);
    assert.deepEqual([container.Names, container.State], [[`/${made.name}`], 'running']);
    const image = usage.Images.find(({ Id }: Loose) => Id === container.ImageID);
    assert.ok(image.Containers >= 1 && image.SharedSize >= 0 && image.SharedSize <= image.Size);
    assert.ok(usage.LayersSize >= image.Size - image.SharedSize);
    assert.ok(Array.isArray(usage.Volumes));
    // dockerd 20.10 says null where it has none.
    assert.ok(usage.BuildCache === null || Array.isArray(usage.BuildCache));
    assert.equal(usage.BuilderSize, 0);
  },
  'system df counts only the types that are asked for': async (subject) => {
    if (subject.name === 'dockerd') return;
    await using _made = await ran(subject, 'true');
    const { json } = await ask(subject, 'GET /v1.47/system/df?type=container&type=volume');
    const { Containers, Images, Volumes, BuildCache } = json();
    assert.ok(Containers.length >= 1);
    assert.deepEqual([Images, Volumes, BuildCache], [null, [], null]);
    const wrong = await ask(subject, 'GET /v1.47/system/df?type=everything');
    assert.deepEqual([wrong.status, wrong.json().message], [400, 'unknown object type: everything']);
    // Before 1.42 there was no such key.
    assert.ok(Array.isArray((await ask(subject, 'GET /v1.41/system/df?type=container')).json().Images));
  },
  'image prune takes what the filters choose, and leaves what a container uses': async (subject, harbour) => {
    const image = `${harbour.registry}/harbour/pruned`;
    const prune = async (filter: object) =>
      (await ask(subject, `POST /v1.41/images/prune?${filters(filter)}`)).json();
    const label = { dangling: ['false'], label: ['name=harbour/pruned'] };
    await pull(subject, image);
    assert.deepEqual(
      await prune({ label: label.label }),
      { ImagesDeleted: null, SpaceReclaimed: 0 },
      'it has a name',
    );
    assert.equal((await prune({ ...label, 'label!': ['name'] })).ImagesDeleted, null);
    assert.equal((await prune({ ...label, until: ['2000-01-01T00:00:00Z'] })).ImagesDeleted, null);
    {
      await using _user = await ran(subject, 'true', { Image: image });
      assert.equal((await prune(label)).ImagesDeleted, null, 'it is used');
    }
    const { ImagesDeleted: deleted, SpaceReclaimed: bytes } = await prune(label);
    assert.deepEqual(deleted[0], { Untagged: `${image}:latest` });
    assert.match(deleted[1].Untagged, /harbour\/pruned@sha256:/);
    assert.match(deleted[2].Deleted, /^sha256:[0-9a-f]{64}$/);
    // Its layers are those of other images.
    assert.equal(bytes, 0);
    assert.equal((await ask(subject, `GET /v1.41/images/${image}/json`)).status, 404);
  },
  'prunes refuse filters that they do not know': async (subject) => {
    for (const kind of ['images', 'networks']) {
      const { status, json } = await ask(
        subject,
        `POST /v1.41/${kind}/prune?${filters({ colour: ['red'] })}`,
      );
      assert.equal(status, 400, kind);
      assert.match(json().message, /invalid filter 'colour'/i);
    }
    for (const filter of [{ dangling: ['maybe'] }, { until: ['yesterday'] }]) {
      const { status } = await ask(subject, `POST /v1.41/images/prune?${filters(filter)}`);
      assert.equal(
        status,
        'dangling' in filter
          ? 400
          : differs(subject, {
              berth: 400,
              dockerd: 500,
              because: 'dockerd 20.10 gave it no status; later ones do',
            }),
      );
    }
  },
  'where there is nothing to prune, nothing is told': async (subject) => {
    // Other cases have networks that nothing uses yet.
    const nobody = encodeURIComponent(JSON.stringify({ label: ['made-by=nobody'] }));
    const networks = await ask(subject, `POST /v1.41/networks/prune?filters=${nobody}`);
    assert.deepEqual(networks.json(), { NetworksDeleted: null });
    assert.deepEqual((await ask(subject, 'POST /v1.41/build/prune')).json(), {
      CachesDeleted: null,
      SpaceReclaimed: 0,
    });
  },
  'info says what the kernel can limit, and warns of what it cannot': async (subject) => {
    const info = (await ask(subject, 'GET /v1.41/info')).json();
    for (const name of [
      ...['MemoryLimit', 'SwapLimit', 'KernelMemoryTCP', 'OomKillDisable', 'CpuCfsPeriod', 'CpuCfsQuota'],
      ...['CPUShares', 'CPUSet', 'PidsLimit', 'IPv4Forwarding', 'Debug', 'ExperimentalBuild'],
      'LiveRestoreEnabled',
    ])
      assert.equal(typeof info[name], 'boolean', name);
    for (const warning of info.Warnings ?? []) assert.match(warning, /^WARNING: /);
    const silent = (info.Warnings ?? []).filter((warning: string) => /limit|cpu|oom/.test(warning));
    if (info.MemoryLimit && info.SwapLimit && info.KernelMemoryTCP && info.OomKillDisable)
      assert.deepEqual(silent, []);
    assert.equal(info.LoggingDriver, 'json-file');
    assert.ok(info.Plugins.Log.includes('json-file'));
    assert.ok(info.SecurityOptions.some((option: string) => option.startsWith('name=seccomp,')));
    assert.ok(Math.abs(Date.parse(info.SystemTime) - Date.now()) < 60_000);
    for (const name of ['NFd', 'NGoroutines', 'NEventsListener', 'MemTotal', 'NCPU'])
      assert.equal(typeof info[name], 'number', name);
    assert.equal(info.OSVersion === '' || /^\d/.test(info.OSVersion), true);
    for (const name of ['ContainerdCommit', 'RuncCommit', 'InitCommit'])
      assert.equal(typeof info[name].ID, 'string', name);
    if (subject.name === 'berth') assert.match(info.DefaultAddressPools[0].Base, /^\d+\.\d+\.0\.0\/16$/);
  },
};
