import type { KafkaConfig } from '../settings.ts'
import { readPassword, readTls } from '../shared/tls/files.ts'
import type { KafkaEventLogOptions } from './options.ts'

type Reached = Pick<
  KafkaEventLogOptions,
  'client' | 'brokers' | 'lingerMs' | 'appendTimeoutMs' | 'maxPendingBytes' | 'ssl' | 'sasl'
>

/** How a log on Kafka is reached, from its settings. Files are read for each connection, so that a certificate or a password may be replaced. */
export function kafkaOptions({ tls, sasl, ...plain }: KafkaConfig): Reached {
  const { mechanism, username } = sasl
  return {
    ...plain,
    ...(tls.enabled ? { ssl: () => readTls(tls) } : {}),
    ...(mechanism === 'none'
      ? {}
      : { sasl: () => ({ mechanism, username: username ?? '', password: readPassword(sasl) ?? '' }) }),
  }
}
