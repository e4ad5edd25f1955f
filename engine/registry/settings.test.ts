import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultRegistrySettings, endpointsOf, isLoopback } from './settings.ts';

test('Docker Hub is asked after its mirrors', () => {
  const mirrors = ['https://mirror.example/hub/', 'http://plain.example:5000', 'bare.example'];
  assert.deepEqual(
    endpointsOf('docker.io', { ...defaultRegistrySettings, mirrors }).map(({ url, tls, mirror }) => [
      url,
      tls,
      mirror,
    ]),
    [
      ['https://mirror.example/hub', 'checked', true],
      ['http://plain.example:5000', 'unchecked', true],
      ['https://bare.example', 'checked', true],
      ['https://registry-1.docker.io', 'checked', false],
    ],
  );
});

test('only loopback and what the settings name may go without a certificate', () => {
  const settings = {
    ...defaultRegistrySettings,
    insecureRegistries: ['lab:5000'],
    ca: { 'localhost:1': 'PEM' },
  };
  const endpoint = (host: string) => endpointsOf(host, settings)[0];
  for (const host of ['lab:5000', 'localhost:5000', '127.0.0.1:5000', '127.8.9.1', '[::1]:5000']) {
    assert.deepEqual([endpoint(host)?.tls, endpoint(host)?.plainHttp], ['unchecked', true], host);
  }
  for (const host of ['lab:5001', 'ghcr.io', 'localhost:1', '128.0.0.1', '127.0.0.1.example.com']) {
    assert.deepEqual([endpoint(host)?.tls, endpoint(host)?.plainHttp], ['checked', false], host);
  }
  assert.ok(!isLoopback('localhost.example'));
});
