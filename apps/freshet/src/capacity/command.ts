import { ArgumentError } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { coefficients, type Coefficient } from './coefficients.ts'
import { capacityOf, type Capacity, type Demand } from './model.ts'

/** Arguments of `freshet capacity`, as text. */
export interface CapacityArguments {
  readonly users: string
  readonly events: string
  readonly pins: string
  readonly feeds?: string
  readonly peak: string
  readonly copies: string
  readonly retentionDays: string
  readonly servedDays?: string
  readonly corePrice?: string
  readonly memoryPrice?: string
  readonly diskPrice?: string
  readonly sources?: boolean
  readonly json?: boolean
}

/** `freshet capacity`: what a number of users, events and pins takes. Needs no connection. */
export function runCapacity(given: CapacityArguments, terminal: Pick<Terminal, 'write'>): void {
  const demand = demandOf(given)
  const capacity = capacityOf(demand)
  if (given.json === true) {
    terminal.write(`${JSON.stringify({ demand, capacity, coefficients }, null, 2)}\n`)
    return
  }
  terminal.write(textOf(demand, capacity))
  if (given.sources === true) terminal.write(sourcesText())
}

function demandOf(given: CapacityArguments): Demand {
  const events = numberOf('events', given.events)
  return {
    users: numberOf('users', given.users),
    events,
    pins: numberOf('pins', given.pins),
    feeds: given.feeds === undefined ? events / 10 : numberOf('feeds', given.feeds),
    peak: numberOf('peak', given.peak),
    copies: numberOf('copies', given.copies),
    retentionDays: numberOf('retention-days', given.retentionDays),
    servedDays: numberOf('served-days', given.servedDays ?? given.retentionDays),
    prices: {
      core: price('core-price', given.corePrice, coefficients.coreMonth),
      memoryGiB: price('memory-price', given.memoryPrice, coefficients.memoryGiBMonth),
      diskGiB: price('disk-price', given.diskPrice, coefficients.diskGiBMonth),
    },
  }
}

function price(name: string, text: string | undefined, standard: Coefficient): number {
  return text === undefined ? standard.value : numberOf(name, text)
}

function numberOf(name: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!(number > 0 && number < 1e15))
    throw new ArgumentError(`--${name} is ${text}; give a number above 0, such as 1e6`)
  return number
}

const GiB = 2 ** 30
const gib = (bytes: number): string => `${bytes < 10 * GiB ? (bytes / GiB).toFixed(1) : (bytes / GiB).toFixed(0)} GiB`

function textOf(demand: Demand, { partitions, services, shards, redis, kafka, usdPerMonth, beyond }: Capacity): string {
  const lines = [
    `${demand.users} users, ${demand.pins} pins, ${demand.events} events/s and ${demand.feeds} feeds/s, at the peak ${demand.peak} times that`,
    '',
    `partitions          ${partitions} (fixed when the topics are created)`,
    ...services.map(
      ({ service, pods, cores, bytes }) =>
        `${service.padEnd(20)}${String(pods).padStart(4)} pods, ${cores.toFixed(cores < 1 ? 2 : 1)} cores at the peak, ${gib(bytes)} each`,
    ),
    `neighbour index     ${shards} shards`,
    `Redis               ${gib(redis.bytes)} and as much for replicas, ${redis.masters} masters, about ${redis.commandsPerSecond.toFixed(0)} commands/s`,
    `Kafka               ${gib(kafka.bytes)} with ${demand.copies} copies, ${demand.retentionDays} days of events and ${demand.servedDays} of served feeds; ${(kafka.bytesPerSecond / 1e6).toFixed(1)} MB/s are written at the peak`,
    `cost                about ${usdPerMonth.toFixed(0)} USD a month for cores, memory and disk, without traffic and people`,
    ...beyond.map((text) => `BEYOND              ${text}`),
    '',
    'An estimate from measured costs on two shared cores; --sources lists every number with its origin.',
  ]
  return `${lines.join('\n')}\n`
}

function sourcesText(): string {
  const lines = Object.values(coefficients as Readonly<Record<string, Coefficient>>).map(
    ({ value, unit, what, source }) =>
      `${String(value).padStart(12)} ${unit.padEnd(18)} ${what}; ${source.kind === 'measured' ? `test/RESULTS.md, ${source.section}` : `assumed: ${source.why}`}`,
  )
  return `\n${lines.join('\n')}\n`
}
