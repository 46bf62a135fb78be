import { kafkajsBrokers } from './kafkajs/broker.ts'
import type { KafkaSettings } from './options.ts'
import { platformaticBrokers } from './platformatic/broker.ts'
import type { BrokerFactory } from './wire/broker.ts'

/** Makes brokers with the client library that the settings name. Throws LOG_CLIENT_UNSUPPORTED where it cannot be used. */
export function brokersOf(settings: KafkaSettings): BrokerFactory {
  return settings.client === 'platformatic' ? platformaticBrokers(settings) : kafkajsBrokers(settings)
}
