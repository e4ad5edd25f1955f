import { defineCommand, type Flag } from '../command.ts';

export const command = defineCommand({
  usage: '[FLAGS] [VOLUME]',
  description: 'Makes a volume and prints its name; one is invented where none is given.',
  flags: {
    driver: {
      type: 'string',
      summary: 'Its driver: local',
      short: 'd',
      placeholder: 'DRIVER',
    } as Flag<string>,
    opt: {
      type: 'list',
      summary: 'Option of the driver: type, device and o, as mount(8) takes them',
      short: 'o',
      placeholder: 'KEY=VALUE',
    } as Flag<readonly string[]>,
    label: { type: 'list', summary: 'Label', placeholder: 'KEY=VALUE' } as Flag<readonly string[]>,
  },
  takes: [0, 1],
  examples: [
    { line: 'berth volume create data', does: 'A directory that outlives its containers' },
    {
      line: 'berth volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch',
      does: 'In memory, while a container has it',
    },
    {
      line: 'berth volume create -o type=nfs -o device=:/export -o o=addr=10.0.0.2 shared',
      does: 'A directory of another machine',
    },
  ],
  async run(context, { flags: { driver, opt, label }, args: [name = ''] }) {
    const client = await context.connect();
    const body = { Name: name, Driver: driver || 'local', DriverOpts: mapOf(opt), Labels: mapOf(label) };
    const { Name } = await client.call('volumeCreate', {}, { body, signal: context.signals.cancelled });
    context.stdout.line(Name);
    return 0;
  },
});

/** `KEY=VALUE` as a map; a key alone has an empty value, as with docker. */
function mapOf(pairs: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value = ''] = pair.split(/=(.*)/s);
      return [key, value];
    }),
  );
}
