import { BerthError } from '../../engine/api/errors.ts';
import { familiarReference, parseReference } from '../../engine/api/reference.ts';
import { defineCommand, type Flag } from '../command.ts';
import { refused } from '../refused.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE',
  description:
    'The registry is asked by the engine, and nothing is pulled. An index lists the manifests of its platforms by their digests.',
  flags: {
    verbose: {
      type: 'boolean',
      summary: 'Show its digest, size and platforms too',
      short: 'v',
    } as Flag<boolean>,
    raw: { type: 'boolean', summary: 'Print it as it came, to the byte' } as Flag<boolean>,
    insecure: refused(
      { type: 'boolean', summary: '' },
      'the engine asks the registry',
      'its settings name the registries that are asked without TLS: registries.insecureRegistries',
    ) as Flag<boolean>,
  },
  takes: [1, 1],
  examples: [
    { line: 'berth manifest inspect alpine', does: 'The platforms that there are' },
    { line: 'berth manifest inspect --raw alpine | sha256sum', does: 'Its digest' },
  ],
  async run(context, { flags: { verbose, raw }, args: [name = ''] }) {
    const reference = parseReference(name);
    const { registryHeaders } = await import('../../engine/client/credentials.ts');
    const headers = await registryHeaders(reference.domain);
    const client = await context.connect();
    const { Manifest, Descriptor, Platforms } = await client.call(
      'distributionInspect',
      { name: familiarReference(reference), manifest: true },
      { headers, signal: context.signals.cancelled },
    );
    if (Manifest === undefined && !verbose)
      throw new BerthError('unsupported', 'this engine gives no manifests', {
        hint: `berth manifest inspect --verbose ${name} shows the digest and the platforms`,
      });
    if (raw && Manifest !== undefined) await context.stdout.write(Manifest);
    else {
      const manifest = Manifest === undefined ? undefined : (JSON.parse(Manifest) as unknown);
      const shown = verbose
        ? { Ref: familiarReference(reference), Descriptor, Platforms, Manifest: manifest }
        : manifest;
      context.stdout.line(JSON.stringify(shown, undefined, 2));
    }
    return 0;
  },
});
