import type { KafkaConfig } from '../settings.ts'
import { readPassword, readTls } from '../shared/tls/files.ts'
import type { KafkaEventLogOptions } from './options.ts'

type Reached = Pick<
  KafkaEventLogOptions,
  'client' | 'brokers' | 'lingerMs' | 'appendTimeoutMs' | 'maxPendingBytes' | 'ssl' | 'sasl'
>

/** Turns settings into the options of a log on Kafka. Each connection reads the files again, so that certificates and passwords can be replaced. */
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
