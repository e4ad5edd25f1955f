import { existsSync } from 'node:fs';
import { BerthError } from '../api/errors.ts';
import { chooseCapabilities } from './capabilities.ts';
import { parseProfile, type SeccompProfile } from './seccomp.ts';

/** What `SecurityOpt` of a HostConfig says. */
export type SecurityOptions = {
  readonly noNewPrivileges: boolean;
  /** A profile of the client's, none at all, or undefined for the engine's own. */
  readonly seccomp: SeccompProfile | 'unconfined' | undefined;
  /** Name of a profile that is loaded in the kernel. */
  readonly apparmor: string | undefined;
};

/** Reads security options as dockerd takes them: `KEY=VALUE` or `KEY:VALUE`. Throws `invalid`, `unsupported`. */
export function readSecurityOptions(texts: readonly string[] | null | undefined): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions['seccomp'];
  let apparmor: string | undefined;
  for (const text of texts ?? []) {
    const [, key = '', value] = /^([^=:]*)(?:[=:](.*))?$/s.exec(text) ?? [];
    switch (key) {
      case 'no-new-privileges':
        if (!['true', 'false', undefined].includes(value)) throw malformed(text);
        noNewPrivileges = value !== 'false';
        break;
      case 'seccomp':
        if (value === undefined || value === '') throw malformed(text);
        seccomp =
          value === 'unconfined' ? 'unconfined' : value === 'builtin' ? undefined : parseProfile(value);
        break;
      case 'apparmor':
        if (value === undefined || value === '') throw malformed(text);
        apparmor = value === 'unconfined' ? undefined : requireApparmor(value);
        break;
      case 'label':
        // Nothing is labelled here, so there is nothing to switch off.
        if (value === 'disable') break;
        throw new BerthError('unsupported', `SELinux labels are not supported: '${text}'`, {
          hint: 'leave it out, or use label=disable',
        });
      default:
        throw malformed(text);
    }
  }
  return { noNewPrivileges, seccomp, apparmor };
}

/** Refuses now what a start would fail on. Throws `invalid`, `unsupported`. */
export function checkSecurity(host: {
  readonly SecurityOpt?: readonly string[] | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
}): void {
  readSecurityOptions(host.SecurityOpt);
  chooseCapabilities({ add: host.CapAdd, drop: host.CapDrop });
}

function requireApparmor(profile: string): string {
  if (existsSync('/sys/kernel/security/apparmor')) return profile;
  throw new BerthError('unsupported', `this host has no AppArmor for the profile '${profile}'`, {
    hint: 'leave it out, or use apparmor=unconfined',
  });
}

function malformed(text: string): BerthError {
  return new BerthError('invalid', `invalid --security-opt: "${text.slice(0, 200)}"`, {
    hint: 'use no-new-privileges, seccomp=PROFILE, apparmor=PROFILE or label=disable',
  });
}
