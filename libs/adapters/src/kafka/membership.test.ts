import { isContractError } from '@freshet/contracts/errors'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../memory/clock.ts'
import type { KafkaCluster } from './cluster.ts'
import type { KafkaBroker } from './wire/broker.ts'
import { encodeAssignment } from './wire/group-messages.ts'
import { joinGroup } from './membership.ts'
import { withDefaults } from './options.ts'

const topic = 't'
const brokerError = (type: string): Error => Object.assign(new Error(type), { type })

/** A coordinator that knows the members in `known`, and does not answer while it is away. */
function aCoordinator() {
  const known = new Set<string>()
  const joins: string[] = []
  const coordinator = { away: false, replaced: false, known, joins }
  const assignment = encodeAssignment([{ topic, partition: 0 }])
  const answered = <T>(answer: () => T): Promise<T> => {
    if (coordinator.away) return Promise.reject(new Error('connection refused'))
    return Promise.resolve().then(answer)
  }
  const broker = {
    joinGroup: ({ memberId }: { memberId: string }) =>
      answered(() => {
        joins.push(memberId)
        if (memberId !== '' && !known.has(memberId)) throw brokerError('UNKNOWN_MEMBER_ID')
        const name = memberId === '' ? `m${joins.length}` : memberId
        known.add(name)
        return { memberId: name, generationId: joins.length, leaderId: 'another', members: [] }
      }),
    syncGroup: () => answered(() => assignment),
    heartbeat: ({ memberId }: { memberId: string }) =>
      answered(() => {
        if (coordinator.replaced) throw brokerError('FENCED_INSTANCE_ID')
        if (!known.has(memberId)) throw brokerError('UNKNOWN_MEMBER_ID')
      }),
    commitOffsets: () => answered(() => undefined),
    leaveGroup: () => answered(() => undefined),
  } as unknown as KafkaBroker
  const cluster = {
    coordinator: () => answered(() => 1),
    leaders: () => Promise.resolve([1]),
    on: (_: number, work: (to: KafkaBroker) => Promise<unknown>) => work(broker),
    refresh: () => Promise.resolve(),
    cut: () => Promise.resolve(),
  } as unknown as KafkaCluster
  return { ...{ coordinator }, cluster }
}

function aMember() {
  const clock = createVirtualClock(1_000)
  const { coordinator, cluster } = aCoordinator()
  const seen: string[] = []
  const told: Error[] = []
  const settings = withDefaults({ brokers: [], clientId: 'test', clock, groupInstance: 'a' })
  const member = joinGroup(cluster, settings, {
    group: 'g',
    topics: [topic],
    onError: (error) => void told.push(error),
    onAssigned: (partitions) => seen.push(`has ${partitions.length}`),
    onRevoked: () => {
      seen.push('gives up')
      return Promise.resolve([])
    },
    handled: () => [],
  })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      await clock.advance(100)
    }
  }
  return { pass, coordinator, seen, told, member, session: settings.sessionTimeoutMs }
}

describe('membership', () => {
  test('after a silence longer than its session a member gives up its partitions and rejoins with its old id', async () => {
    const { pass, coordinator, seen, member, session } = aMember()
    await pass(2_000)
    coordinator.away = true
    await pass(session + 3_000)
    expect(seen).toEqual(['has 1', 'gives up'])
    coordinator.away = false
    await pass(2_000)
    expect(coordinator.joins).toEqual(['', 'm1'])
    expect(seen).toEqual(['has 1', 'gives up', 'has 1'])
    void member.leave()
    await pass(2_000)
  })

  test('a member that the group no longer knows joins as a new one immediately', async () => {
    const { pass, coordinator, seen, member } = aMember()
    await pass(2_000)
    coordinator.known.clear()
    await pass(3_000)
    expect(coordinator.joins).toEqual(['', ''])
    expect(seen).toEqual(['has 1', 'gives up', 'has 1'])
    void member.leave()
    await pass(2_000)
  })

  test('a member whose name another process took gives up, reports it and does not rejoin', async () => {
    const { pass, coordinator, seen, told, member, session } = aMember()
    await pass(2_000)
    coordinator.replaced = true
    await pass(2 * session)
    expect(coordinator.joins).toEqual([''])
    expect(seen).toEqual(['has 1', 'gives up'])
    expect(told.map((error) => isContractError(error, 'LOG_MEMBER_REPLACED'))).toEqual([true])
    await member.leave()
  })

  test('a member forgotten during its silence tries its old id once', async () => {
    const { pass, coordinator, seen, member, session } = aMember()
    await pass(2_000)
    coordinator.away = true
    await pass(session + 3_000)
    coordinator.known.clear()
    coordinator.away = false
    await pass(3_000)
    expect(coordinator.joins).toEqual(['', 'm1', ''])
    expect(seen.at(-1)).toBe('has 1')
    void member.leave()
    await pass(2_000)
  })
})
