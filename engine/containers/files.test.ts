import assert from 'node:assert/strict';
import test from 'node:test';
import { resolvText } from './files.ts';

const plain = 'nameserver 10.0.0.1\nnameserver fd00::1\nsearch lan example.org\noptions timeout:1\n';
const stub = 'nameserver 127.0.0.53\nsearch lan\n';
const behind = '# by systemd-resolved\nnameserver 10.0.0.2\nsearch corp\n';
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

test('a container asks the servers of the host, and those behind a stub on the host’s loopback', () => {
  const of = (own: string) =>
    lines(resolvText({ hostConfig: {}, named: false }, { own, behind: own === stub ? behind : own }));
  assert.deepEqual(of(plain), lines(plain));
  assert.deepEqual(of(stub), ['nameserver 10.0.0.2', 'search corp']);
  // Nothing of use anywhere: docker's.
  assert.deepEqual(of('nameserver ::1\n'), ['nameserver 8.8.8.8', 'nameserver 8.8.4.4']);
  assert.deepEqual(of(`nameserver 127.0.0.1\n${plain}`), lines(plain));
});

test('on networks of users it asks the engine, with the host’s search domains; what was given comes first', () => {
  const files = { own: plain, behind: plain };
  assert.deepEqual(lines(resolvText({ hostConfig: {}, named: true }, files)), [
    'nameserver 127.0.0.11',
    'search lan example.org',
    'options timeout:1 ndots:0',
  ]);
  const given = { Dns: ['10.9.9.9'], DnsSearch: ['mine'], DnsOptions: ['ndots:2'] };
  assert.deepEqual(lines(resolvText({ hostConfig: given, named: true }, files)), [
    'nameserver 127.0.0.11',
    'search mine',
    'options ndots:2',
  ]);
  assert.deepEqual(lines(resolvText({ hostConfig: given, named: false }, files)), [
    'nameserver 10.9.9.9',
    'search mine',
    'options ndots:2',
  ]);
  const host = { NetworkMode: 'host' };
  assert.equal(resolvText({ hostConfig: host, named: false }, { own: stub, behind }), stub);
});
