import { coefficients as c, limits } from './coefficients.ts'

/** What a deployment has to carry. */
export interface Demand {
  /** Users whose state is kept. */
  readonly users: number
  /** Mean events a second. */
  readonly events: number
  /** Pins of the catalogue. */
  readonly pins: number
  /** Mean feeds a second. */
  readonly feeds: number
  /** Peak ÷ mean. */
  readonly peak: number
  /** Copies of each topic. */
  readonly copies: number
  /** Days that the log keeps events. */
  readonly retentionDays: number
  /** Days that the log keeps served feeds. */
  readonly servedDays: number
  readonly prices: { readonly core: number; readonly memoryGiB: number; readonly diskGiB: number }
}

/** Pods of one service. */
export interface ServicePods {
  readonly service: string
  readonly pods: number
  /** CPU at the peak, cores, all pods together. */
  readonly cores: number
  /** Memory of each pod. */
  readonly bytes: number
}

/** What it takes. */
export interface Capacity {
  readonly partitions: number
  readonly services: readonly ServicePods[]
  /** Shards of the neighbour index; each is a candidate-service with replicas of its own. */
  readonly shards: number
  readonly redis: { readonly bytes: number; readonly masters: number; readonly commandsPerSecond: number }
  readonly kafka: { readonly bytes: number; readonly bytesPerSecond: number }
  readonly usdPerMonth: number
  /** What this version cannot do at this size. */
  readonly beyond: readonly string[]
}

const daySeconds = 86_400
const leastPods = 2
const GiB = 2 ** 30
const processBytes = c.processMB.value * 1e6
/** An action in the neighbour index. */
const trailBytes = (c.trailMiB.value * 2 ** 20) / 1e6

/** The capacity that a demand takes, by the coefficients. */
export function capacityOf(demand: Demand): Capacity {
  const { events, pins, feeds, peak, copies, retentionDays, servedDays, prices } = demand
  const [peakEvents, peakFeeds] = [events * peak, feeds * peak]
  const redisBytes = redisBytesOf(demand)
  const updaterCores = (peakEvents * c.updaterUs.value) / 1e6
  const updaters = podsFor(updaterCores)
  const partitions = powerOfTwo(Math.max(limits.partitions, 4 * updaters, redisBytes / limits.partitionBytes))
  const retrieveMs = retrieveMsAt(pins)
  const blendMs = c.feedMs.value - c.rankMs.value - c.retrieveSmallMs.value
  const actions = Math.min(limits.keptActions, events * daySeconds * retentionDays)
  const edges = Math.min(limits.keptEdges, actions)
  const viewBytes = pins * (c.candidatePinBytes.value + c.embeddingBytes.value) + edges * c.edgeBytes.value
  const room = limits.podBytes - processBytes - viewBytes
  const shards = Math.max(1, Math.ceil((actions * trailBytes) / Math.max(room, GiB)))
  const service = (name: string, cores: number, bytes: number, pods = podsFor(cores)): ServicePods => ({
    service: name,
    pods,
    cores,
    bytes: processBytes + bytes,
  })
  const services = [
    service('event-ingest', (peakEvents * c.ingestUs.value) / 1e6, 0),
    service('feature-updater', updaterCores, 256 * 2 ** 20, updaters),
    service(
      'candidate-service',
      (peakFeeds * retrieveMs) / 1e3,
      viewBytes + (actions * trailBytes) / shards,
      shards * podsFor((peakFeeds * retrieveMs) / 1e3 / shards),
    ),
    service('ranker', (peakFeeds * c.rankMs.value) / 1e3, pins * c.rankerPinBytes.value),
    service('blender', (peakFeeds * blendMs) / 1e3, pins * c.blenderPinBytes.value),
    service('trainer', 1, Math.min(pins, 2e6) * c.embeddingBytes.value + 512 * 2 ** 20, 1),
  ]
  const eventBytes = events * (c.engagementBytes.value + c.onwardBytes.value)
  const servedBytes = feeds * c.servedBytes.value
  const kafkaBytes =
    copies *
    (daySeconds * (eventBytes * retentionDays + servedBytes * servedDays) +
      pins * (c.catalogueBytes.value + c.pinStateBytes.value))
  const cores = services.reduce((sum, { pods, cores: used }) => sum + Math.max(pods * 0.25, used / c.use.value), 0)
  const memory = services.reduce((sum, { pods, bytes }) => sum + pods * bytes, 0) + 2 * redisBytes
  return {
    partitions,
    services,
    shards,
    redis: {
      bytes: redisBytes,
      masters: Math.max(1, Math.ceil(redisBytes / limits.redisBytes)),
      commandsPerSecond: peakFeeds * 4 + peakEvents / 20,
    },
    kafka: { bytes: kafkaBytes, bytesPerSecond: copies * (eventBytes + servedBytes) * peak },
    usdPerMonth: cores * prices.core + (memory / GiB) * prices.memoryGiB + (kafkaBytes / GiB) * prices.diskGiB,
    beyond: beyondOf({ pins, partitions, viewBytes }),
  }
}

/** CPU of the sources at a size of the catalogue: straight between the measured points by the logarithm, and beyond them. */
export function retrieveMsAt(pins: number): number {
  const [small, large] = [c.retrieveSmallMs.value, c.retrieveLargeMs.value]
  const decades = Math.log10(Math.max(pins, 1e5) / 1e5)
  return small * (large / small) ** decades
}

function redisBytesOf({ users, events, pins }: Demand): number {
  const state = users * (c.userBytes.value + c.redisKeyBytes.value)
  const ofPins = pins * (c.pinStateBytes.value + c.redisKeyBytes.value)
  const remembered = events * daySeconds * limits.dedupeDays * c.dedupeBytes.value
  // A tenth of the users comes on a day.
  return state + ofPins + remembered + (users / 10) * c.sessionBytes.value
}

function podsFor(cores: number): number {
  return Math.max(leastPods, Math.ceil(cores / c.use.value))
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least))
}

function beyondOf(at: {
  readonly pins: number
  readonly partitions: number
  readonly viewBytes: number
}): readonly string[] {
  const found: string[] = []
  if (at.pins > limits.pinsPerProcess)
    found.push(
      `${at.pins} pins: each candidate-service, ranker and blender holds all of them; the caps are ${limits.pinsPerProcess} by default. Raise maxPins as far as memory goes; beyond, the catalogue has to be sharded, which this version cannot do`,
    )
  if (at.viewBytes > limits.podBytes)
    found.push(
      `views of ${(at.viewBytes / GiB).toFixed(0)} GiB a pod: only the neighbour index is sharded today, not the catalogue, the embeddings and the graph`,
    )
  if (at.partitions > limits.partitions)
    found.push(`${at.partitions} partitions: nothing here was run with more than ${limits.partitions}`)
  if (at.pins > limits.measuredPins)
    found.push(`the CPU of retrieval at ${at.pins} pins is drawn out of two measured points, at 10⁵ and 10⁶ pins`)
  return found
}
