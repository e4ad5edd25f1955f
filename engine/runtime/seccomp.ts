import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { arch } from 'node:process';
import { z } from 'zod';
import { BerthError, isErrno } from '../api/errors.ts';

/** Podman's default profile, from the Debian package golang-github-containers-common and its like elsewhere. */
const PROFILE_PATH = '/usr/share/containers/seccomp.json';

const action = z.enum([
  'SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP', 'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE', 'SCMP_ACT_ALLOW', 'SCMP_ACT_LOG',
]); // biome-ignore format: a table
const operator = z.enum([
  'SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ',
]); // biome-ignore format: a table
const number = z.number().int().nonnegative();
const names = z.array(z.string());
const condition = z
  .looseObject({
    caps: names.nullish(),
    arches: names.nullish(),
    minKernel: z
      .string()
      .regex(/^\d+\.\d+$/)
      .nullish(),
  })
  .nullish();
const architecture = z.string().regex(/^SCMP_ARCH_[A-Z0-9_]+$/);

/** docker's format of a profile: the OCI spec's, with rules that hold on certain processors or with certain capabilities. */
const shape = z.looseObject({
  defaultAction: action,
  defaultErrnoRet: number.nullish(),
  architectures: z.array(architecture).nullish(),
  archMap: z
    .array(z.looseObject({ architecture, subArchitectures: z.array(architecture).nullish() }))
    .nullish(),
  flags: names.nullish(),
  syscalls: z
    .array(
      z.looseObject({
        name: z.string().nullish(),
        names: names.nullish(),
        action,
        errnoRet: number.nullish(),
        args: z
          .array(
            z
              .looseObject({
                index: number.max(5),
                value: number,
                valueTwo: number.nullish(),
                op: operator,
              })
              .nullable(),
          )
          .nullish(),
        includes: condition,
        excludes: condition,
      }),
    )
    .nullish(),
});

export type SeccompProfile = z.infer<typeof shape>;

/** The `linux.seccomp` part of an OCI spec (runtime-spec, config-linux.md, «Seccomp»). */
type Seccomp = {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly flags?: readonly string[];
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

let ownProfile: SeccompProfile | undefined;

/** Reads a profile as a client sends it: JSON, the file's text itself. Throws `invalid`. */
export function parseProfile(text: string): SeccompProfile {
  const wrong = (why: string, cause?: unknown) =>
    new BerthError('invalid', `Decoding seccomp profile failed: ${why}`, {
      hint: 'seccomp= takes the JSON of a profile, or unconfined',
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(`not JSON: ${text.slice(0, 100)}`, error);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw wrong(`${issue?.path.join('.') || 'profile'}: ${issue?.message}`);
  }
  const profile = parsed.data;
  if (profile.architectures?.length && profile.archMap?.length)
    throw wrong("both 'architectures' and 'archMap' are given");
  for (const rule of profile.syscalls ?? []) {
    if (rule.name && rule.names?.length) throw wrong(`both 'name' and 'names' are given: ${rule.name}`);
    if (!rule.name && !rule.names?.length) throw wrong('a rule names no system call');
  }
  return profile;
}

/**
 * The system calls a container may make, for one that holds these capabilities (`CAP_…`); of the engine's own profile
 * where none is given. Throws `unavailable` where that isn't installed: nothing runs unconfined by accident.
 */
export function seccompFor(
  capabilities: readonly string[],
  profile: SeccompProfile = readOwnProfile(),
): Seccomp {
  const machine = machines[arch];
  if (machine === undefined)
    throw new BerthError('unsupported', `no seccomp profile for the processor ${arch}`);
  const family = profile.archMap?.find((entry) => entry.architecture === machine.seccomp);
  const given = profile.architectures ?? [];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet == null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: given.length > 0 ? given : [machine.seccomp, ...(family?.subArchitectures ?? [])],
    ...(profile.flags?.length ? { flags: profile.flags } : {}),
    syscalls: (profile.syscalls ?? [])
      .filter(({ includes, excludes }) => {
        const included = tests(includes, capabilities, machine.go);
        return included.every(Boolean) && !tests(excludes, capabilities, machine.go).some(Boolean);
      })
      .map((rule) => ({
        names: rule.names?.length ? rule.names : [rule.name ?? ''],
        action: rule.action,
        ...(rule.errnoRet == null ? {} : { errnoRet: rule.errnoRet }),
        ...(rule.args?.length ? { args: rule.args.filter((argument) => argument !== null) } : {}),
      })),
  };
}

/** Each thing that a condition asks, and whether it is so. */
function tests(
  asked: z.infer<typeof condition>,
  capabilities: readonly string[],
  processor: string,
): readonly boolean[] {
  return [
    ...(asked?.caps ?? []).map((name) => capabilities.includes(name)),
    ...(asked?.arches?.length ? [asked.arches.includes(processor)] : []),
    ...(asked?.minKernel ? [isAtLeast(release(), asked.minKernel)] : []),
  ];
}

function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function readOwnProfile(): SeccompProfile {
  try {
    ownProfile ??= parseProfile(readFileSync(PROFILE_PATH, 'utf8'));
    return ownProfile;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new BerthError('unavailable', `the seccomp profile ${PROFILE_PATH} is missing`, {
      hint: 'apt-get install golang-github-containers-common',
      cause: error,
    });
  }
}
