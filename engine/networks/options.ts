import { BerthError } from '../api/errors.ts';
import type { Labels } from '../api/wire.ts';
import type { MacvlanMode } from '../host/netlink.ts';
import type { Driver, Network } from './types.ts';

/** What a network's driver can be told (`network create -o NAME=VALUE`), by docker's names. */
export type DriverOptions = {
  readonly bridge: string | undefined;
  readonly mtu: number | undefined;
  /** Whether its containers reach each other. */
  readonly icc: boolean;
  /** Whether others see the host's address in place of its containers'. */
  readonly masquerade: boolean;
  /** Where ports are published that name no address. */
  readonly hostAddress: string | undefined;
  readonly interfacePrefix: string;
  readonly parent: string | undefined;
  readonly macvlanMode: MacvlanMode;
};

const names = {
  mtu: 'com.docker.network.driver.mtu',
  bridge: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostAddress: 'com.docker.network.bridge.host_binding_ipv4',
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
  parent: 'parent',
  macvlanMode: 'macvlan_mode',
} as const;

const patterns: Readonly<Record<keyof typeof names, RegExp>> = {
  mtu: /^(?:[1-9]\d{2,4})$/,
  bridge: /^[a-zA-Z][\w.-]{0,14}$/,
  icc: /^(?:true|false|1|0)$/i,
  masquerade: /^(?:true|false|1|0)$/i,
  hostAddress: /^\d+\.\d+\.\d+\.\d+$/,
  defaultBridge: /^(?:false|0)$/i,
  interfacePrefix: /^[a-z][a-z0-9_-]{0,9}$/i,
  parent: /^[\w.-]{1,15}$/,
  macvlanMode: /^(?:bridge|private|vepa|passthru)$/,
};

const ofDriver: Readonly<Record<Driver, readonly (keyof typeof names)[]>> = {
  bridge: ['mtu', 'bridge', 'icc', 'masquerade', 'hostAddress', 'defaultBridge', 'interfacePrefix'],
  macvlan: ['mtu', 'parent', 'macvlanMode', 'interfacePrefix'],
  host: [],
  null: [],
};

/** Reads options that were given. Throws `invalid` on one that is unknown or has a value that it can't have. */
export function checkOptions(driver: Driver, options: Labels): DriverOptions {
  const known = ofDriver[driver];
  for (const [name, value] of Object.entries(options)) {
    const key = known.find((each) => names[each] === name);
    if (key === undefined) {
      throw new BerthError('invalid', `unknown option of the driver ${driver}: ${name}=${value}`, {
        hint: `it takes ${known.map((each) => names[each]).join(', ')}`,
      });
    }
    if (!patterns[key].test(value))
      throw new BerthError('invalid', `invalid value '${value}' for the option ${name}`);
  }
  if (driver === 'macvlan' && !options[names.parent]) {
    throw new BerthError('invalid', 'a macvlan network needs the interface of the host that it is on', {
      hint: '-o parent=eth0',
    });
  }
  return readOptions(options);
}

export function optionsOf({ options }: Network): DriverOptions {
  return readOptions(options);
}

function readOptions(options: Labels): DriverOptions {
  const of = (key: keyof typeof names) => options[names[key]];
  const truth = (key: keyof typeof names) => !/^(?:false|0)$/i.test(of(key) ?? 'true');
  const mtu = of('mtu');
  return {
    bridge: of('bridge'),
    mtu: mtu === undefined ? undefined : Number(mtu),
    icc: truth('icc'),
    masquerade: truth('masquerade'),
    hostAddress: of('hostAddress'),
    interfacePrefix: of('interfacePrefix') ?? 'eth',
    parent: of('parent'),
    macvlanMode: (of('macvlanMode') ?? 'bridge') as MacvlanMode,
  };
}
