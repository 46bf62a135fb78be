import { headerNames, type MessageHeaders } from './headers.ts'
import type { EventLog } from './ports/event-log.ts'
import { topics, type TopicName } from './topics.ts'

/**
 * The log as a service writes to it: every record says who wrote it and in which schema version. The headers are the same
 * object for all records of a topic, so that they are encoded once.
 */
export function writingAs<Log extends EventLog>(log: Log, service: string, version: string): Log {
  const origin = `${service}/${version}`
  const perTopic = new Map<string, MessageHeaders>()
  function standardOf(topic: string): MessageHeaders {
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
      const standard = standardOf(topic)
      const headers = options.headers === undefined ? standard : { ...standard, ...options.headers }
      return log.append(topic, records, { ...options, headers })
    },
  }
}
