/** What the name of an instance is taken from. */
export interface Surroundings {
  readonly hostname: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The name under which a process takes its partitions back at once when it is started again; '': it has none.
 * `@hostname`: the host's. `@auto`: the host's where the platform gives it to one process and gives it again: the pod of a
 * StatefulSet (`name-0`), a container of Docker (its id, which a restart keeps). Elsewhere none: two processes of one name
 * would take each other's partitions, and the older one gets LOG_MEMBER_REPLACED and stops reading.
 */
export function instanceName(setting: string, { hostname, env }: Surroundings): string {
  if (setting === '@hostname') return hostname
  if (setting !== '@auto') return setting
  const isPod = (env['KUBERNETES_SERVICE_HOST'] ?? '') !== ''
  const isStable = isPod ? /-\d{1,4}$/.test(hostname) : /^[0-9a-f]{12}$/.test(hostname)
  return isStable ? hostname : ''
}
