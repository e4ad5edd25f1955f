/** A namespace of a container: one of its own, the host's, or that of another process by its path. */
export type NamespaceChoice = 'own' | 'host' | { readonly path: string };

export type NamespaceKind = 'pid' | 'ipc' | 'uts' | 'network' | 'cgroup';
export type Namespaces = Readonly<Record<NamespaceKind, NamespaceChoice>>;

/** `linux.namespaces` of an OCI spec: those that are not the host's. */
export function namespacesOf(namespaces: Namespaces): readonly object[] {
  const chosen = Object.entries(namespaces).flatMap(([type, choice]) => {
    if (choice === 'host') return [];
    return [choice === 'own' ? { type } : { type, path: choice.path }];
  });
  return [{ type: 'mount' }, ...chosen];
}
