import { readFileSync } from 'node:fs';
import { arch } from 'node:process';
import { BerthError, isErrno } from '../api/errors.ts';

/** Podman's default profile, from the Debian package golang-github-containers-common and its like elsewhere. */
const PROFILE_PATH = '/usr/share/containers/seccomp.json';

type Condition = { readonly caps?: readonly string[]; readonly arches?: readonly string[] };
type Rule = {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly object[];
  readonly errnoRet?: number;
  readonly includes?: Condition;
  readonly excludes?: Condition;
};
type Profile = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly Rule[];
};

/** The `linux.seccomp` part of an OCI spec (runtime-spec, config-linux.md, «Seccomp»). */
export type Seccomp = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly object[];
  }[];
};

/** Go's and the kernel's names of this processor, as profiles use them. */
const machines: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

let profile: Profile | undefined;

/**
 * The system calls a container may make, for one that holds these capabilities (`CAP_…`).
 * Throws `unavailable` where the profile isn't installed: nothing runs unconfined by accident.
 */
export function defaultSeccomp(capabilities: readonly string[]): Seccomp {
  profile ??= readProfile();
  const machine = machines[arch];
  if (machine === undefined)
    throw new BerthError('unsupported', `no seccomp profile for the processor ${arch}`);
  const matches = (condition: Condition | undefined, whenEmpty: boolean, any: boolean): boolean => {
    const tests = [
      ...(condition?.caps?.map((name) => capabilities.includes(name)) ?? []),
      ...(condition?.arches?.length ? [condition.arches.includes(machine.go)] : []),
    ];
    if (tests.length === 0) return whenEmpty;
    return any ? tests.some(Boolean) : tests.every(Boolean);
  };
  const family = profile.archMap.find((entry) => entry.architecture === machine.seccomp);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: [machine.seccomp, ...(family?.subArchitectures ?? [])],
    syscalls: profile.syscalls
      .filter((rule) => matches(rule.includes, true, false) && !matches(rule.excludes, false, true))
      .map((rule) => ({
        names: rule.names,
        action: rule.action,
        ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
        ...(rule.args?.length ? { args: rule.args } : {}),
      })),
  };
}

function readProfile(): Profile {
  try {
    return JSON.parse(readFileSync(PROFILE_PATH, 'utf8')) as Profile;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new BerthError('unavailable', `the seccomp profile ${PROFILE_PATH} is missing`, {
      hint: 'apt-get install golang-github-containers-common',
      cause: error,
    });
  }
}
