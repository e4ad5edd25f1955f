/** What the engine's own registry is to be like, and what it says. */

export type RegistryServeBody = {
  /** An address of this machine, `127.0.0.1` where none is given. */
  readonly Address?: string;
  /** 5000 where none is given; 0 for a free one. */
  readonly Port?: number;
  /** PEM. Both or neither. */
  readonly Cert?: string;
  readonly Key?: string;
  /** Names and hashed passwords, as in the file that `berth registry passwd` writes; everybody where there are none. */
  readonly Passwords?: string;
  readonly ReadOnly?: boolean;
  /** Leave to listen beyond this machine without TLS and passwords. */
  readonly Insecure?: boolean;
};

/** A request that the registry has answered. */
export type RegistryAccess = {
  readonly time: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly remote: string;
  readonly user?: string;
};

/** First where it listens, then what is asked. */
export type RegistryLine = { readonly listening: string } | RegistryAccess;

/** What is shown to a registry with `POST /auth`. */
export type AuthBody = {
  readonly username?: string;
  readonly password?: string;
  readonly email?: string;
  /** `https://index.docker.io/v1/` is Docker Hub, and so is nothing. */
  readonly serveraddress?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
};

export type AuthAnswer = {
  readonly Status: string;
  /** To be kept in the password's place; empty where the registry has none. */
  readonly IdentityToken: string;
};

/** What a registry has under a name. */
export type DistributionInspect = {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant?: string;
  }[];
  /** The manifest as it came, where it was asked for: Berth's own. */
  readonly Manifest?: string;
};

/** An image that a registry's search found. */
export type SearchResult = {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
};
