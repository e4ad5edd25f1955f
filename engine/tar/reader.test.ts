import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { tarOf, type TarEntry as Written } from '../../workshop/testing/tar.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { createTarReader, type TarEntry } from './reader.ts';

type Read = TarEntry & { readonly content: string };

/** Reads an archive that comes in chunks of a size. */
function read(archive: Buffer, chunkBytes = archive.length): readonly Read[] {
  const entries: { entry: TarEntry; pieces: Buffer[] }[] = [];
  let ends = 0;
  const reader = createTarReader({
    entry: (entry) => void entries.push({ entry, pieces: [] }),
    data: (piece) => void entries.at(-1)?.pieces.push(Buffer.from(piece)),
    end: () => {
      ends += 1;
    },
  });
  for (let at = 0; at < archive.length; at += chunkBytes) reader.push(archive.subarray(at, at + chunkBytes));
  reader.finish();
  assert.equal(ends, entries.length);
  return entries.map(({ entry, pieces }) => ({
    ...entry,
    content: Buffer.concat(pieces).toString('latin1'),
  }));
}

const several: readonly Written[] = [
  { name: 'empty' },
  { name: 'file', content: 'x'.repeat(1000), mode: 0o4755, uid: 1, gid: 2 },
  { name: 'n'.repeat(300), content: 'long', xattrs: { 'user.a': 'b\n=c' } },
  { name: 'link', type: 'symlink', target: 'file' },
  { name: 'exact', content: 'y'.repeat(512) },
];

test('the same entries are read however the archive is cut into chunks', () => {
  const archive = tarOf(several);
  const whole = read(archive);
  assert.deepEqual(
    whole.map(({ name, flag, content }) => [name.slice(0, 5), flag, content.length]),
    [
      ['empty', '0', 0],
      ['file', '0', 1000],
      ['nnnnn', '0', 4],
      ['link', '2', 0],
      ['exact', '0', 512],
    ],
  );
  assert.deepEqual(whole[2]?.xattrs, [{ name: 'user.a', value: Buffer.from('b\n=c') }]);
  for (const size of [1, 7, 511, 512, 513, 1000]) assert.deepEqual(read(archive, size), whole, `${size}`);
});

for (const format of ['v7', 'ustar', 'oldgnu', 'gnu', 'pax']) {
  test(`archives that GNU tar writes as ${format} are read`, async () => {
    await using root = await tempRoot('tar');
    const deep = format === 'v7' ? 'dir' : `${'d'.repeat(60)}/${'e'.repeat(70)}`;
    mkdirSync(root.join('in', deep), { recursive: true });
    writeFileSync(root.join('in', deep, 'file'), 'content');
    utimesSync(root.join('in', deep, 'file'), 1_500_000_000, 1_500_000_000.5);
    chownSync(root.join('in', deep, 'file'), 2_097_150, 70_000);
    symlinkSync('t'.repeat(90), root.join('in', deep, 'link'));
    const archive = execFileSync('tar', ['-C', root.join('in'), `--format=${format}`, '-cf', '-', deep]);
    const entries = new Map(read(archive).map((entry) => [entry.name, entry]));
    const file = entries.get(`${deep}/file`);
    assert.deepEqual([file?.content, file?.uid, file?.gid], ['content', 2_097_150, 70_000]);
    assert.equal(file?.mtime.seconds, 1_500_000_000);
    if (format === 'pax') assert.equal(file?.mtime.nanoseconds, 500_000_000);
    assert.equal(entries.get(`${deep}/link`)?.target, 't'.repeat(90));
    assert.equal(entries.get(`${deep}/`)?.flag, '5');
  });
}

test("GNU's long names and numbers in base 256 are read", async () => {
  await using root = await tempRoot('tar');
  const name = 'n'.repeat(250);
  writeFileSync(root.join(name), 'x');
  symlinkSync('t'.repeat(200), root.join('link'));
  chownSync(root.join(name), 4_000_000_000, 0);
  execFileSync('touch', ['-d', '@-5', root.join(name)]);
  const archive = execFileSync('tar', ['-C', root.path, '--format=gnu', '-cf', '-', name, 'link']);
  const [file, link] = read(archive);
  assert.deepEqual(
    [file?.name, file?.uid, file?.mtime],
    [name, 4_000_000_000, { seconds: -5, nanoseconds: 0 }],
  );
  assert.equal(link?.target, 't'.repeat(200));
});

test('sparse files are refused by name where nobody asked for them', async () => {
  await using root = await tempRoot('tar');
  execFileSync('truncate', ['-s', '1M', root.join('holes')]);
  for (const format of ['gnu', 'pax']) {
    const archive = execFileSync('tar', [
      '-C',
      root.path,
      '--sparse',
      `--format=${format}`,
      '-cf',
      '-',
      'holes',
    ]);
    assert.throws(() => read(archive), { code: 'unsupported', message: /sparse file, '.*holes'/ }, format);
  }
});

test('what breaks the format is refused', () => {
  const archive = tarOf(several);
  const damaged = Buffer.from(archive);
  damaged[0] = 0x21;
  assert.throws(() => read(damaged), { code: 'invalid', message: /checksum/ });
  assert.throws(() => read(archive.subarray(0, 1024 + 300)), { code: 'invalid', message: /cut off/ });
  assert.throws(() => read(tarOf([{ name: 'x', pax: { size: '-1' } }])), { message: /size is negative/ });
  assert.throws(() => read(tarOf([{ name: 'x', pax: { mtime: 'noon' } }])), { message: /pax mtime/ });
  assert.throws(() => read(tarOf([{ name: 'x', flag: 'x', content: '99 path=a\n' }])), {
    message: /wrong length/,
  });
  assert.throws(() => read(tarOf([{ name: 'x', flag: 'L', size: 2_000_000 }])), {
    message: /longer than 1 MiB/,
  });
  assert.throws(() => read(tarOf([{ name: 'y'.repeat(5000) }])), { message: /longer than 4096/ });
});

test('an archive without its closing zeros is taken, and what follows them is ignored', () => {
  const archive = tarOf(several);
  assert.equal(read(archive.subarray(0, archive.length - 1024)).length, several.length);
  assert.equal(read(Buffer.concat([archive, Buffer.from('garbage')])).length, several.length);
});
