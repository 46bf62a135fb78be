import { kafkajsBrokers } from './kafkajs/broker.ts'
import type { KafkaSettings } from './options.ts'
import { platformaticBrokers } from './platformatic/broker.ts'
import type { BrokerFactory } from './wire/broker.ts'

/** Returns the broker factory of the configured client library. Throws LOG_CLIENT_UNSUPPORTED if the library is unusable. */
export function brokersOf(settings: KafkaSettings): BrokerFactory {
  return settings.client === 'platformatic' ? platformaticBrokers(settings) : kafkajsBrokers(settings)
}
