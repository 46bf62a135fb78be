import type { RedisConfig } from '../settings.ts'
import { readPassword, readTls } from '../shared/tls/files.ts'
import type { RedisStateStoreOptions } from './state-store.ts'

/** Turns settings into the options of a state store on Redis. Throws if a file cannot be read. */
export function redisOptions(config: RedisConfig): RedisStateStoreOptions {
  const { url, clusterNodes, username, tls, keyPrefix, commandTimeoutMs } = config
  const password = readPassword(config)
  return {
    ...(url === null ? { clusterNodes } : { url }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    tls: readTls(tls),
    keyPrefix,
    commandTimeoutMs,
  }
}
