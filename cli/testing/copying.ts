import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { tarOf } from '../../workshop/testing/tar.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { untar } from '../../workshop/testing/untar.ts';
import { type Behaviours, type Given, print, remove } from './given.ts';

/** `cp` and its relatives: files, and images made of them. */

/** A container that ran a script and ended. */
async function ended(given: Given, script: string): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `cp-${Math.random().toString(36).slice(2, 10)}`;
  await print(given, 'run', '--name', name, 'busybox', 'sh', '-c', script);
  return { name, [Symbol.asyncDispose]: () => remove(given, name) };
}

async function fails(given: Given, args: readonly string[], words: RegExp): Promise<void> {
  const { code, stderr } = await given.berth.run(args, { host: given.host });
  assert.equal(code, 1, `berth ${args.join(' ')}: ${stderr}`);
  assert.match(stderr, words);
}

export const copying: Behaviours = {
  'cp takes files out of a container: into a directory, under another name, or as what is inside': async (
    given,
  ) => {
    await using made = await ended(
      given,
      'mkdir -p /d/sub; echo hi >/d/f; chmod 751 /d/f; touch -d @1000000000 /d/f; ln -s f /d/link; ln /d/f /d/sub/hard; ln -s /d /dl',
    );
    await using here = await tempRoot('cp');
    const cp = (...args: readonly string[]) => print(given, 'cp', '-q', ...args);
    await cp(`${made.name}:/d`, here.path);
    assert.deepEqual(await readdir(here.join('d')), ['f', 'link', 'sub']);
    assert.equal(await readFile(here.join('d/f'), 'utf8'), 'hi\n');
    assert.equal(await readlink(here.join('d/link')), 'f');
    const file = await lstat(here.join('d/f'));
    assert.deepEqual([file.mode & 0o7777, Math.floor(file.mtimeMs / 1000), file.nlink], [0o751, 1e9, 2]);
    await cp(`${made.name}:/d`, here.join('new'));
    assert.deepEqual(await readdir(here.join('new')), ['f', 'link', 'sub']);
    await mkdir(here.join('into'));
    await cp(`${made.name}:/d/.`, here.join('into'));
    assert.deepEqual(await readdir(here.join('into')), ['f', 'link', 'sub']);
    await cp(`${made.name}:/d/f`, here.join('renamed'));
    await cp(`${made.name}:/d/f`, here.join('renamed'));
    assert.equal(await readFile(here.join('renamed'), 'utf8'), 'hi\n');
    await cp(`${made.name}:/dl`, here.join('as-link'));
    assert.equal(await readlink(here.join('as-link')), '/d');
    await cp('-L', `${made.name}:/dl`, here.join('followed'));
    assert.deepEqual(await readdir(here.join('followed')), ['f', 'link', 'sub']);
    await cp('-L', `${made.name}:/d/link`, here.join('into'));
    assert.equal(await readFile(here.join('into/link'), 'utf8'), 'hi\n');
  },

  'cp puts files into a container, that runs or never ran': async (given) => {
    const name = `cp-${Math.random().toString(36).slice(2, 10)}`;
    await using here = await tempRoot('cp');
    await mkdir(here.join('site/deep'), { recursive: true });
    await writeFile(here.join('site/deep/page'), 'page', { mode: 0o640 });
    await symlink('deep/page', here.join('site/link'));
    await utimes(here.join('site/deep/page'), 1e9, 1e9);
    await symlink(here.join('site'), here.join('to-site'));
    await print(given, 'create', '--name', name, 'busybox', 'sleep', '1000');
    try {
      const cp = (...args: readonly string[]) => print(given, 'cp', '-q', ...args);
      const list = async (path: string) =>
        [...untar(await bytesOf(given, 'cp', `${name}:${path}`, '-')).values()].map(
          ({ name: entry, target, content }) =>
            `${entry}${target && ` -> ${target}`}${content && `: ${content}`}`,
        );
      const tree = (root: string) => [
        `${root}/`,
        `${root}/deep/`,
        `${root}/deep/page: page`,
        `${root}/link -> deep/page`,
      ];
      await cp(here.join('site'), `${name}:/tmp`);
      assert.deepEqual(await list('/tmp/site'), tree('site'));
      await print(given, 'start', name);
      await cp(here.join('site'), `${name}:/tmp/other`);
      assert.deepEqual(await list('/tmp/other'), tree('other'));
      await cp(`${here.join('site')}/.`, `${name}:/home`);
      assert.deepEqual(await list('/home'), tree('home'));
      await cp(here.join('site/deep/page'), `${name}:/tmp/renamed`);
      assert.deepEqual(await list('/tmp/renamed'), ['renamed: page']);
      await cp(here.join('to-site'), `${name}:/tmp/as-link`);
      assert.deepEqual(await list('/tmp/as-link'), [`as-link -> ${here.join('site')}`]);
      await cp('-L', here.join('to-site'), `${name}:/tmp/followed`);
      assert.deepEqual(await list('/tmp/followed'), tree('followed'));
      const page = untar(await bytesOf(given, 'cp', `${name}:/tmp/renamed`, '-')).get('renamed');
      assert.deepEqual([page?.mode, page?.mtime.seconds], [0o640, 1e9]);
      const input = tarOf([{ name: 'piped', content: 'through' }]).toString('latin1');
      const piped = await given.berth.run(['cp', '-', `${name}:/tmp`], { host: given.host, input });
      assert.equal(piped.code, 0, piped.stderr);
      assert.deepEqual(await list('/tmp/piped'), ['piped: through']);
    } finally {
      await remove(given, name);
    }
  },

  'cp says what it copied on standard error, and refuses what makes no sense': async (given) => {
    await using made = await ended(given, 'mkdir /d; echo f >/f');
    await using here = await tempRoot('cp');
    await writeFile(here.join('file'), 'x');
    await mkdir(here.join('directory'));
    const said = await given.berth.run(['cp', '--quiet=false', `${made.name}:/f`, here.join('out')], {
      host: given.host,
    });
    assert.deepEqual([said.code, said.stdout], [0, '']);
    assert.match(said.stderr, /^Successfully copied \S+ to .*\/out\n$/);
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['a:/x', 'b:/y', /between containers is not supported/],
      [here.join('file'), here.join('x'), /at least one container/],
      ['', `${made.name}:/`, /source can not be empty/],
      [
        `${made.name}:/nope`,
        here.path,
        /Could not find the file \/nope|no such file|No such container path|could not find/i,
      ],
      ['no-such-one:/f', here.path, /no such container|no container/i],
      [`${made.name}:/f`, here.join('missing/out'), /does not exist/],
      [`${made.name}:/f`, `${here.join('new')}/`, /no such directory/],
      [`${made.name}:/d`, here.join('file'), /cannot copy directory/],
      [here.join('directory'), `${made.name}:/f`, /cannot copy directory/],
      [here.join('file'), `${made.name}:/new/`, /no such directory/],
      [here.join('nothing'), `${made.name}:/`, /no such file/],
      ['-', `${made.name}:/f`, /must be a directory/],
    ];
    for (const [from, to, words] of cases) await fails(given, ['cp', from, to], words);
    assert.deepEqual((await readdir(here.path)).sort(), ['directory', 'file', 'out']);
  },

  'diff shows what a container added, changed and deleted': async (given) => {
    await using made = await ended(given, 'echo x >/etc/new; rm /bin/acpid; mkdir /n');
    const lines = (await print(given, 'diff', made.name)).trimEnd().split('\n').toSorted();
    const expected = ['A /etc/new', 'A /n', 'C /bin', 'C /etc', 'D /bin/acpid'];
    assert.deepEqual(
      expected.filter((line) => !lines.includes(line)),
      [],
    );
    await fails(given, ['container', 'diff', 'no-such-one'], /no such container|no container/i);
  },

  'export and import carry the files of a container into an image of one layer': async (given) => {
    const image = `imported-${Math.random().toString(36).slice(2, 10)}:one`;
    await using made = await ended(given, 'echo carried >/note');
    await using here = await tempRoot('export');
    await print(given, 'export', '-o', here.join('all.tar'), made.name);
    assert.ok(untar(await readFile(here.join('all.tar'))).has('note'));
    assert.deepEqual(await readdir(here.path), ['all.tar']);
    await fails(given, ['export', '-o', here.join('no/such/place'), made.name], /does not exist/);
    try {
      const id = await print(
        given,
        'import',
        '-m',
        'flat',
        '-c',
        'CMD ["cat", "/note"]',
        here.join('all.tar'),
        image,
      );
      assert.match(id, /sha256:[0-9a-f]{64}\n$/);
      assert.equal(await print(given, 'run', '--rm', image), 'carried\n');
    } finally {
      await given.berth.run(['rmi', '-f', image], { host: given.host });
    }
    await fails(given, ['image', 'import', here.join('nothing.tar')], /no such file/);
  },

  'commit makes an image, tag names it, history shows its steps': async (given) => {
    const image = `made-${Math.random().toString(36).slice(2, 10)}`;
    await using made = await ended(given, 'echo kept >/note');
    try {
      const id = await print(
        given,
        'commit',
        '-a',
        'Ada',
        '-m',
        'a note',
        '-c',
        'CMD ["cat", "/note"]',
        made.name,
        `${image}:one`,
      );
      assert.match(id, /^sha256:[0-9a-f]{64}\n$/);
      assert.equal(await print(given, 'run', '--rm', `${image}:one`), 'kept\n');
      assert.equal(await print(given, 'tag', `${image}:one`, `${image}:two`), '');
      const names = await print(given, 'images', image, '--format', '{{.Tag}} {{.ID}}');
      assert.deepEqual(
        names.trimEnd().split('\n').toSorted(),
        ['one', 'two'].map((tag) => `${tag} ${id.slice('sha256:'.length).slice(0, 12)}`),
      );
      const [head = '', first = ''] = (await print(given, 'history', `${image}:two`)).split('\n');
      assert.match(head, /^IMAGE\s+CREATED\s+CREATED BY\s+SIZE\s+COMMENT$/);
      assert.match(first, /a note\s*$/);
      assert.match(first, new RegExp(`^${id.slice('sha256:'.length).slice(0, 12)}\\s`));
      await fails(given, ['commit', made.name, 'Upper'], /lower ?case/);
      await fails(given, ['commit', '-c', 'RUN x', made.name], /run is not a valid change command|RUN/);
      await fails(
        given,
        ['image', 'tag', 'no-such-image:x', `${image}:three`],
        /no such image|no image|not known/i,
      );
    } finally {
      for (const tag of ['one', 'two'])
        await given.berth.run(['rmi', '-f', `${image}:${tag}`], { host: given.host });
    }
  },
};

/** Standard output as bytes: an archive. */
async function bytesOf(given: Given, ...args: readonly string[]): Promise<Buffer> {
  const { spawn } = await import('node:child_process');
  const { berth, host } = given;
  const child = spawn(berth.command[0], [berth.command[1], ...args], {
    env: { ...berth.env, BERTH_HOST: host },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = await child.stdout.toArray();
  return Buffer.concat(chunks);
}
