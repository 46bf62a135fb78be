import type { RedisFaults } from '@freshet/adapters/testing/redis-server'
import type { KafkaFaults } from '@freshet/adapters/testing/kafka-server'
import type { TcpProxy } from '@freshet/adapters/testing/tcp-proxy'
import type { World } from '../harness/cluster.ts'
import type { Load } from '../harness/load.ts'
import type { Fleet, ServiceName } from '../harness/processes.ts'
import type { SmallDisk } from './small-disk.ts'

/** What a row may do things to. */
export interface Ground {
  readonly world: World
  readonly fleet: Fleet
  readonly load: Load
  readonly kafka: KafkaFaults
  readonly redis: RedisFaults
  /** The way to Redis: what it leads to can be changed. */
  readonly redisProxy: TcpProxy
  readonly disk: SmallDisk | null
  /** The ways of the blender that the row asked for. */
  readonly ways: ReadonlyMap<Way, TcpProxy>
  readonly scale: Scale
  /** Waits until the whole path works again; answers how long that took and counts it as a recovery. */
  recovered(): Promise<void>
}

/** How long faults last and how often they come. */
export interface Scale {
  readonly kills: number
  readonly redisPauseMs: number
  readonly kafkaPauseMs: number
  /** How long a service hangs, and how long everything is away. */
  readonly hangMs: number
  readonly clockMs: number
}

/** Lengths of the full form, as they are promised. */
export const fullScale: Scale = {
  kills: 20,
  redisPauseMs: 30_000,
  kafkaPauseMs: 60_000,
  hangMs: 20_000,
  clockMs: 20_000,
}
/** Lengths of the short form. */
export const shortScale: Scale = { kills: 1, redisPauseMs: 5_000, kafkaPauseMs: 6_000, hangMs: 5_000, clockMs: 3_000 }

/** A row: one kind of fault under load. */
export interface ChaosRow {
  readonly name: string
  /** By how much clients' clocks are off, milliseconds. */
  readonly clockShiftsMs?: readonly number[]
  /** Brokers, each record on all of them. Default: 1. */
  readonly brokers?: 1 | 3
  /** The checkout from which a service starts, asked at each start. */
  readonly folderOf?: (name: ServiceName) => string
  /** Kafka's log is on a small disk. */
  readonly smallDisk?: boolean
  /** Redis is reached by a proxy, whose far end can be changed. */
  readonly redisByProxy?: boolean
  /** Services that run twice, as in production. */
  readonly pairs?: readonly PairedService[]
  /** Ways of the blender that lead through proxies, so that they can be cut. */
  readonly ways?: readonly Way[]
  /** By how much the clocks of services are off, milliseconds. */
  readonly serviceClocksMs?: Readonly<Partial<Record<ServiceName, number>>>
  /** Share of the feeds that must come in time. */
  readonly leastAvailable?: number
  /** Does it; answers in words what was done. */
  inject(ground: Ground): Promise<string>
  /** What else must hold afterwards; problems. */
  verify?(world: World, load: Load): Promise<readonly string[]>
}

/** What a blender reaches. */
export type Way = 'candidate-service' | 'ranker' | 'redis'

/** Services that run twice in some rows. */
export const pairedServices = ['candidate-service', 'ranker', 'blender'] as const
export type PairedService = (typeof pairedServices)[number]
