import { headerNames, noHeaders, type MessageHeaders } from './headers.ts'
import type { EventLog } from './ports/event-log.ts'
import { topics, type TopicName } from './topics.ts'

/**
 * Wraps a log so that every appended record carries its writer and the schema version as headers. All records of a topic
 * share one headers object, so the log encodes it once.
 */
export function writingAs<Log extends EventLog>(log: Log, service: string, version: string): Log {
  const origin = `${service}/${version}`
  const perTopic = new Map<string, MessageHeaders>()
  function standardHeaders(topic: string): MessageHeaders {
    let headers = perTopic.get(topic)
    if (headers === undefined) {
      const schema = topic in topics ? String(topics[topic as TopicName].schemaVersion) : null
      headers = Object.freeze({
        [headerNames.origin]: origin,
        ...(schema !== null && { [headerNames.schema]: schema }),
      })
      perTopic.set(topic, headers)
    }
    return headers
  }
  return {
    ...log,
    append: (topic, records, options = {}) => {
      const standard = standardHeaders(topic)
      const { headers: own = noHeaders } = options
      // The same frozen headers for nearly all appends, so that the log encodes them once.
      const headers = own === noHeaders ? standard : { ...standard, ...own }
      return log.append(topic, records, { ...options, headers })
    },
  }
}
