import { ContractError } from '@freshet/contracts/errors'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'

/** Creates LOG_RECORDS_LOST with the range of lost positions. */
export function recordsLost({ topic, partition }: TopicPartition, from: number, to: number): ContractError {
  return new ContractError(
    'LOG_RECORDS_LOST',
    `positions ${from} to ${to} of ${topic}/${partition} were deleted by retention before they were read`,
  )
}

/** Creates LOG_TOPIC_MISSING with the fix. */
export function topicMissing(topic: string): ContractError {
  return new ContractError('LOG_TOPIC_MISSING', `the topic ${topic} does not exist; run \`freshet topics apply\``)
}

/** Creates LOG_CLOSED. */
export function logClosed(): ContractError {
  return new ContractError('LOG_CLOSED', 'the event log was closed by this process')
}
