import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarOf } from '../tar.ts';
import { tempRoot } from '../temp.ts';
import { type ReadEntry, untar } from '../untar.ts';
import type { Case } from './case.ts';
import { make, ran, run } from './containers.ts';
import { type Answer, ask, differs, type Subject } from './wire.ts';

/** Files in and out of containers, and what they changed. */

const target = (id: string, path: string, more = '') =>
  `/v1.41/containers/${id}/archive?path=${encodeURIComponent(path)}${more}`;

/** What a path is, as the header says it. */
async function head(subject: Subject, id: string, path: string) {
  const answer = await ask(subject, `HEAD ${target(id, path)}`);
  const header = answer.headers['x-docker-container-path-stat'];
  return typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64').toString()) : answer.status;
}

async function get(subject: Subject, id: string, path: string): Promise<ReadonlyMap<string, ReadEntry>> {
  const answer = await ask(subject, `GET ${target(id, path)}`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'application/x-tar');
  return untar(answer.bytes);
}

async function put(
  subject: Subject,
  id: string,
  path: string,
  entries: readonly TarEntry[] | Buffer,
  more = '',
): Promise<Answer> {
  const body = Buffer.isBuffer(entries) ? entries : tarOf(entries);
  return await ask(subject, `PUT ${target(id, path, more)}`, { body });
}

/** Waits until a container has written this. */
async function printed(subject: Subject, id: string, text: string): Promise<void> {
  for (;;) {
    const logs = await ask(subject, `GET /v1.41/containers/${id}/logs?stdout=1`);
    if (logs.text.includes(text)) return;
    await setTimeout(20);
  }
}

/** A line for each entry: type, mode, owner, what it holds or leads to. */
function shape(entries: ReadonlyMap<string, ReadEntry>): readonly string[] {
  return [...entries.values()].map(
    ({ flag, name, mode, uid, gid, target: link, content }) =>
      `${name} ${flag} ${mode.toString(8)} ${uid}:${gid} ${link}${content}`,
  );
}

const TREE = `mkdir -p /d/sub && echo hi >/d/f && chown 3:4 /d/f && chmod 4751 /d/f && ln /d/f /d/hard &&
  ln -s f /d/link && ln -s /d /dl && mkfifo /d/pipe && ln -s ../../../../etc/passwd /out && ln -s nowhere /lost`;

const refusal = (status: number) =>
  ({
    berth: status,
    dockerd: 500,
    because: 'dockerd 20.10 calls it its own error what an archive or a path is to blame for',
  }) as const;

export const archiveCases: Readonly<Record<string, Case>> = {
  'the archive of a directory has its files with owners, modes, links and times, whether it runs or not':
    async (subject) => {
      await using running = await run(subject, `${TREE}; echo ready; sleep 1000`);
      await printed(subject, running.id, 'ready');
      await using ended = await ran(subject, TREE);
      for (const { id } of [running, ended]) {
        assert.deepEqual(shape(await get(subject, id, '/d')), [
          'd/ 5 755 0:0 ',
          'd/f 0 4751 3:4 hi\n',
          'd/hard 1 4751 3:4 d/f',
          'd/link 2 777 0:0 f',
          'd/pipe 6 644 0:0 ',
          'd/sub/ 5 755 0:0 ',
        ]);
        const stat = await head(subject, id, '/d');
        const [entry] = (await get(subject, id, '/d')).values();
        assert.equal(entry?.mtime.seconds, Math.floor(Date.parse(stat.mtime) / 1000));
      }
    },

  'what a path names is told in a header: name, size, mode, time, and where a link leads': async (
    subject,
  ) => {
    await using made = await ran(subject, TREE);
    const at = async (path: string) => {
      const { name, mode, linkTarget, mtime } = await head(subject, made.id, path);
      assert.match(mtime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z$/);
      return [name, mode, linkTarget];
    };
    const [directory, link] = [2 ** 31 + 0o755, 2 ** 27 + 0o777];
    assert.deepEqual(await at('/d'), ['d', directory, '']);
    assert.deepEqual(await at('d/'), ['d', directory, '']);
    assert.deepEqual(await at('/d/.'), ['.', directory, '']);
    assert.deepEqual(await at('/d/sub/../../d'), ['d', directory, '']);
    assert.deepEqual(await at('/'), ['/', directory, '']);
    assert.deepEqual(await at('/dl'), ['dl', link, '/d']);
    assert.deepEqual(await at('/dl/'), ['dl', directory, '']);
    assert.deepEqual(await at('/dl/f'), ['f', 2 ** 23 + 0o751, '']);
    assert.deepEqual(await at('/d/pipe'), ['pipe', 2 ** 25 + 0o644, '']);
    // Links that climb out end at the container's own root.
    assert.deepEqual(await at('/out'), ['out', link, '/etc/passwd']);
    assert.deepEqual(await at('/lost'), ['lost', link, '/nowhere']);
    assert.equal((await head(subject, made.id, '/d/f')).size, 3);
  },

  'entries are named by what was asked for: a link itself, what is behind it, or a directory from inside':
    async (subject) => {
      await using made = await ran(subject, TREE);
      const names = async (path: string) => [...(await get(subject, made.id, path)).keys()].slice(0, 2);
      assert.deepEqual(await names('/dl'), ['dl']);
      assert.deepEqual(await names('/dl/'), ['dl/', 'dl/f']);
      assert.deepEqual(await names('/d/.'), ['./', './f']);
      assert.deepEqual(await names('/dl/f'), ['f']);
      assert.deepEqual((await names('/'))[0], '/');
      assert.equal((await get(subject, made.id, '/out')).get('out')?.target, '../../../../etc/passwd');
    },

  'a path that is not there is a 404, one without a name a 400, and nothing leaks of where it lies': async (
    subject,
  ) => {
    await using made = await make(subject, ['true']);
    for (const path of ['/nope', '/nope/x']) {
      const answer = await ask(subject, `GET ${target(made.id, path)}`);
      assert.equal(answer.status, 404);
      assert.match(answer.json().message, new RegExp(`^Could not find the file ${path} in container `));
      assert.equal(await head(subject, made.id, path), 404);
    }
    for (const method of ['HEAD', 'GET', 'PUT'])
      assert.equal((await ask(subject, `${method} /v1.41/containers/${made.id}/archive`)).status, 400);
    const through = await ask(subject, `GET ${target(made.id, '/etc/passwd/x')}`);
    assert.equal(through.status, differs(subject, refusal(400)));
    assert.equal((await ask(subject, `GET ${target('no-such-one', '/')}`)).status, 404);
  },

  'an archive is put into a container that was never started, and what it says of owners and modes holds':
    async (subject) => {
      await using made = await make(subject, [
        'sh',
        '-c',
        'cat /tmp/new/f; test -e /tmp/new/null && echo -n there',
      ]);
      const entries: readonly TarEntry[] = [
        { name: 'new/', type: 'directory', mode: 0o750, uid: 7, mtime: 1_600_000_000 },
        { name: 'new/f', content: 'in', uid: 1234, gid: 99, mode: 0o751, mtime: 1000 },
        { name: 'new/hard', type: 'hardlink', target: 'new/f', uid: 1234, gid: 99, mode: 0o751 },
        { name: 'new/l', type: 'symlink', target: '/etc/passwd' },
        { name: 'new/null', type: 'character', major: 1, minor: 3, mode: 0o666 },
        { name: 'new/pipe', type: 'fifo', mode: 0o600 },
        { name: 'new/setuid', mode: 0o4755, uid: 8, content: 's' },
        { name: 'deep/er/f', content: 'x' },
      ];
      const answer = await put(subject, made.id, '/tmp', entries);
      assert.deepEqual([answer.status, answer.text], [200, '']);
      const there = await get(subject, made.id, '/tmp/new');
      assert.deepEqual(shape(there), [
        'new/ 5 750 7:0 ',
        'new/f 0 751 1234:99 in',
        'new/hard 1 751 1234:99 new/f',
        'new/l 2 777 0:0 /etc/passwd',
        'new/null 3 666 0:0 ',
        'new/pipe 6 600 0:0 ',
        'new/setuid 0 4755 8:0 s',
      ]);
      assert.deepEqual([there.get('new/null')?.major, there.get('new/null')?.minor], [1, 3]);
      assert.equal(there.get('new/')?.mtime.seconds, 1_600_000_000);
      assert.equal(there.get('new/f')?.mtime.seconds, 1000);
      assert.deepEqual(shape(await get(subject, made.id, '/tmp/deep')).slice(0, 2), [
        'deep/ 5 755 0:0 ',
        'deep/er/ 5 755 0:0 ',
      ]);
      await made.start();
      assert.equal(await made.ended(), 0);
    },

  'a running container sees what is put into it, compressed or not, also through a link': async (subject) => {
    await using made = await run(
      subject,
      'mkdir /d; ln -s /d /dl; echo ready; until [ -e /d/plain -a -e /d/gz ]; do sleep 0.05; done; cat /d/*',
    );
    await printed(subject, made.id, 'ready');
    assert.equal((await put(subject, made.id, '/dl', [{ name: 'plain', content: 'x' }])).status, 200);
    const gz = gzipSync(tarOf([{ name: '/gz', content: 'y' }]));
    assert.equal((await put(subject, made.id, '/d/', gz)).status, 200);
    assert.equal(await made.ended(), 0);
    assert.equal((await get(subject, made.id, '/d/gz')).get('gz')?.content, 'y');
  },

  'where an archive is put has to be a directory that is there': async (subject) => {
    await using made = await make(subject, ['true']);
    assert.equal((await put(subject, made.id, '/nope', [{ name: 'x' }])).status, 404);
    const file = await put(subject, made.id, '/etc/passwd', [{ name: 'x' }]);
    assert.equal(file.status, differs(subject, refusal(400)));
    assert.match(file.json().message, /extraction point is not a directory/);
  },

  'what is in the way gives way, a directory is merged, and noOverwriteDirNonDir refuses': async (
    subject,
  ) => {
    await using made = await ran(
      subject,
      'cd /tmp; mkdir -p dir/in; echo f >file; ln -s file link; ln -s dir todir',
    );
    const into = (entries: readonly TarEntry[], more = '') => put(subject, made.id, '/tmp', entries, more);
    for (const entries of [[{ name: 'file', type: 'directory' }], [{ name: 'dir', content: 'x' }]] as const) {
      const refused = await into(entries, '&noOverwriteDirNonDir=1');
      assert.equal(refused.status, differs(subject, refusal(400)));
      assert.match(refused.json().message, /cannot overwrite (non-)?directory/);
    }
    assert.equal((await into([{ name: 'dir/', type: 'directory', mode: 0o700 }])).status, 200);
    assert.equal((await into([{ name: 'todir/via', content: 'v' }])).status, 200);
    assert.deepEqual([...(await get(subject, made.id, '/tmp/dir')).keys()], ['dir/', 'dir/in/', 'dir/via']);
    assert.equal((await into([{ name: 'dir', content: 'now a file' }])).status, 200);
    assert.equal((await into([{ name: 'link', content: 'now a file' }])).status, 200);
    assert.equal((await get(subject, made.id, '/tmp/file')).get('file')?.content, 'f\n');
    assert.equal((await get(subject, made.id, '/tmp/link')).get('link')?.content, 'now a file');
  },

  'what an archive says of other places is refused, and nothing is made there': async (subject) => {
    await using made = await make(subject, ['true']);
    const hostile: readonly (readonly TarEntry[] | Buffer)[] = [
      [{ name: '../evil', content: 'x' }],
      [{ name: 'a/../../evil', content: 'x' }],
      [{ name: 'evil', type: 'hardlink', target: '../etc/passwd' }],
      [{ name: 'evil', type: 'hardlink', target: 'missing' }],
      [{ name: 'evil', flag: 'Z' }],
      Buffer.alloc(2048, 'junk '),
      tarOf([{ name: 'cut', content: Buffer.alloc(5000) }]).subarray(0, 1536),
    ];
    for (const entries of hostile) {
      const answer = await put(subject, made.id, '/tmp', entries);
      assert.equal(answer.status, differs(subject, refusal(400)), answer.text);
      assert.doesNotMatch(answer.text, /merged|\/var\/lib|berth-test.*upper/);
    }
    for (const path of ['/evil', '/tmp/evil']) assert.equal(await head(subject, made.id, path), 404);
    // A link that leaves the directory leaves no root: dockerd refuses it, and with it ordinary trees.
    const link = await put(subject, made.id, '/tmp', [{ name: 'up', type: 'symlink', target: '../../x' }]);
    const because = 'links are resolved inside the root, whatever they say';
    assert.equal(link.status, differs(subject, { berth: 200, dockerd: 500, because }));
  },

  'binds are seen, running or not, and what is read-only is refused': async (subject) => {
    await using host = await tempRoot('bind');
    const HostConfig = { Binds: [`${host.path}:/vol`, `${host.path}:/ro:ro`], ReadonlyRootfs: true };
    await using made = await make(subject, ['sleep', '1000'], { HostConfig });
    for (const state of ['created', 'running']) {
      if (state === 'running') await made.start();
      assert.equal((await put(subject, made.id, '/vol', [{ name: state, content: state }])).status, 200);
      assert.equal((await get(subject, made.id, `/ro/${state}`)).get(state)?.content, state);
      for (const [path, words] of [
        ['/ro', 'mounted volume is marked read-only'],
        ['/tmp', 'container rootfs is marked read-only'],
      ] as const) {
        const refused = await put(subject, made.id, path, [{ name: 'x' }]);
        assert.deepEqual([refused.status, refused.json().message], [differs(subject, refusal(403)), words]);
      }
    }
  },

  'copyUIDGID gives what is put in to the user of the container': async (subject) => {
    await using made = await make(subject, ['true'], { User: '42:43' });
    const entries: readonly TarEntry[] = [{ name: 'own', uid: 1234, gid: 99 }];
    assert.equal((await put(subject, made.id, '/tmp', entries)).status, 200);
    assert.match(shape(await get(subject, made.id, '/tmp/own'))[0] ?? '', / 1234:99 /);
    const answer = await put(subject, made.id, '/tmp', entries, '&copyUIDGID=1');
    if (answer.status === 200)
      assert.match(shape(await get(subject, made.id, '/tmp/own'))[0] ?? '', / 42:43 /);
    // dockerd 20.10 looks the user up on the host, in vain.
    else assert.equal(subject.name, 'dockerd');
  },

  'changes are additions, modifications and deletions, and a whole directory that was made anew': async (
    subject,
  ) => {
    await using made = await ran(
      subject,
      `rm /bin/acpid; chmod 700 /bin/busybox; mkdir -p /n1/n2; echo x >/etc/new; rm -r /home; mkdir /home;
         touch /home/new; mv /var /var2; rm -r /root; echo no-change >/dev/null; cd /tmp; mkdir gone; rmdir gone`,
    );
    const answer = await ask(subject, `GET /v1.41/containers/${made.id}/changes`);
    assert.equal(answer.status, 200);
    const changes = (answer.json() as { Path: string; Kind: number }[])
      .map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`)
      .toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
    assert.deepEqual(changes, [
      'C /bin',
      'D /bin/acpid',
      'C /bin/busybox',
      'C /etc',
      'A /etc/new',
      'C /home',
      'A /home/new',
      'A /n1',
      'A /n1/n2',
      'D /root',
      'D /var',
      'A /var2',
      'A /var2/tmp',
    ]);
  },

  'a container that changed nothing has no changes, started or not': async (subject) => {
    await using made = await make(subject, ['true']);
    for (const _ of ['created', 'exited']) {
      assert.equal((await ask(subject, `GET /v1.41/containers/${made.id}/changes`)).json(), null);
      await made.start();
      await made.ended();
    }
  },

  'an export has all files of a container, without what is mounted in it': async (subject) => {
    await using host = await tempRoot('bind');
    const HostConfig = { Binds: [`${host.path}:/vol`] };
    await using made = await run(
      subject,
      'echo v >/vol/v; echo n >/new; rm /etc/group; echo done; sleep 1000',
      {
        HostConfig,
      },
    );
    await printed(subject, made.id, 'done');
    for (const state of ['running', 'exited']) {
      if (state === 'exited') await ask(subject, `POST /v1.41/containers/${made.id}/kill`).then(made.ended);
      const answer = await ask(subject, `GET /v1.41/containers/${made.id}/export`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/octet-stream');
      const entries = untar(answer.bytes);
      assert.deepEqual(
        ['new', 'etc/passwd', 'vol/', 'bin/busybox'].filter((name) => !entries.has(name)),
        [],
      );
      assert.deepEqual(
        ['etc/group', 'vol/v', './', '/'].filter((name) => entries.has(name)),
        [],
      );
      assert.equal(entries.get('new')?.content, 'n\n');
    }
  },
};
