import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog, type KafkaEventLog } from '@freshet/adapters/kafka/event-log'
import type { Component } from '@freshet/service/service'
import type { Config } from '../config.ts'
import { startSource, type SourceOptions } from './source.ts'

/** What reads `source.topic`; nothing if there is none. `kafka`: the log of Freshet, which the topic is in unless it has brokers of its own. */
export function sourceComponents(
  options: Omit<SourceOptions, 'source' | 'settings' | 'config'> & {
    readonly config: Pick<Config, 'ingest' | 'kafka' | 'source'>
  },
  kafka: KafkaEventLog,
): readonly Component[] {
  const { clock, config } = options
  const { topic, brokers, tls, sasl } = config.source
  if (topic === null) return []
  const own =
    brokers.length === 0
      ? null
      : createKafkaEventLog({
          ...kafkaOptions({ ...config.kafka, brokers: [...brokers], tls, sasl }),
          clientId: 'event-ingest-source',
          clock,
        })
  const settings = { ...config.source, topic }
  const reading = startSource({ ...options, source: own ?? kafka, config: config.ingest, settings })
  return own === null ? [reading] : [{ name: 'log of the source', close: () => own.close() }, reading]
}
