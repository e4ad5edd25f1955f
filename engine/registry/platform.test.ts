import assert from 'node:assert/strict';
import test from 'node:test';
import type { Digest } from '../api/digest.ts';
import type { PlatformDescriptor } from './manifest.ts';
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform } from './platform.ts';

const entry = (platform: string | undefined, digit: string): PlatformDescriptor => {
  const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
  const digest: Digest = `sha256:${digit.repeat(64)}`;
  const own = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { mediaType: 'm', digest, sizeBytes: 1, platform: platform === undefined ? undefined : own };
};

/** Which of the platforms offered is chosen. */
const chosen = (offered: readonly string[], wanted: string) =>
  offered[
    Number(
      choosePlatform(
        offered.map((one, index) => entry(one, String(index))),
        parsePlatform(wanted),
        'app',
      ).digest[7],
    )
  ];

test('platforms are read in their many spellings', () => {
  for (const [text, expected] of [
    ['linux/amd64', 'linux/amd64'],
    ['x86_64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['Linux/ARM64', 'linux/arm64'],
    ['windows/amd64', 'windows/amd64'],
  ] as const) {
    assert.equal(formatPlatform(parsePlatform(text)), expected, text);
  }
  assert.deepEqual(parsePlatform('linux'), hostPlatform());
  for (const text of ['', 'a/b/c/d', 'linux/', 'linux/am d64']) {
    assert.throws(() => parsePlatform(text), { code: 'invalid' }, text);
  }
});

test('the entry that suits best is chosen, the first of equals', () => {
  assert.equal(chosen(['linux/arm64', 'linux/amd64'], 'linux/amd64'), 'linux/amd64');
  assert.equal(chosen(['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v6'), 'linux/arm/v6');
  assert.equal(chosen(['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v7'), 'linux/arm/v6');
  assert.equal(chosen(['linux/arm64/v8'], 'linux/arm64'), 'linux/arm64/v8');
  assert.equal(chosen(['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'), 'linux/amd64');
  assert.throws(() => chosen(['linux/arm/v7'], 'linux/arm/v6'), { code: 'notFound' });
  assert.throws(() => chosen(['linux/amd64/v3'], 'linux/amd64'), { code: 'notFound' });
});

test('platforms that there are stand in the hint, attestations do not', () => {
  const offered = [entry('linux/s390x', '1'), entry('unknown/unknown', '2'), entry('linux/s390x', '3')];
  assert.throws(() => choosePlatform(offered, parsePlatform('linux/amd64'), 'app'), {
    message: 'app has no image for linux/amd64',
    hint: 'it has linux/s390x: choose with --platform',
  });
});

test('the one entry of an index that names no platform is taken', () => {
  const only = entry(undefined, '1');
  assert.equal(choosePlatform([only], parsePlatform('linux/amd64'), 'app'), only);
});
