import type { BlenderConfig } from '@freshet/blender/config'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Inspection } from '@freshet/contracts/inspection/routes'
import type { Clock } from '@freshet/domain/clock'
import type { ByteRoom } from '@freshet/service/byte-room'
import type { Destination } from '../../import/destination.ts'
import type { ForeignSettings } from '../../operations/foreign-letters.ts'
import { ConsoleError } from '../errors.ts'
import type { Connections } from '../proxy/upstreams.ts'
import type { ServiceAddress } from './services.ts'

/** The experiment file is with the blenders, and this process does not know it. */
export const elsewhere = Symbol('elsewhere')

/** Where imports of the console write, and how long it may take to open. */
export interface ImportCall {
  /** The key of the caller; null: none. */
  readonly key: string | null
  readonly onError: (error: Error) => void
  readonly signal: AbortSignal
}

/** What the operator's side of the console needs. */
export interface OperatePorts {
  /** null: this console does not reach the log. */
  readonly log: EventLog | null
  readonly clock: Clock
  /** The processes that the console asks. */
  readonly services: readonly ServiceAddress[]
  /** With the certificates by which their answers are trusted. */
  readonly connections: Connections
  /** The routes of `modelInspections`; null: this console does not reach the log. */
  readonly models: readonly Inspection[] | null
  /** Path of the experiment file of the blenders; null: none is set; `elsewhere`: the blenders have it, and this process does not. */
  readonly experimentsFile: string | null | typeof elsewhere
  /** The settings by which the experiment file is checked. */
  readonly blender: BlenderConfig
  /** The settings of event-ingest by which dead letters of other systems are read again. */
  readonly foreign: ForeignSettings
  /** Opens where imports write; null: this console imports nothing. */
  readonly openDestination: ((call: ImportCall) => Promise<Destination>) | null
  readonly imports: {
    /** A folder of its own for uploaded files. It is removed at the end. */
    readonly folder: string
    readonly newId: () => string
    readonly pause: () => Promise<void>
  }
  /** Counts the bytes of uploads while they arrive. */
  readonly room: ByteRoom
  readonly onError: (error: Error) => void
}

/** What a call is answered that needs the log of a console without one. */
export function noLog(): ConsoleError {
  return new ConsoleError(
    'CONSOLE_SERVICE_UNKNOWN',
    'this console does not read the log; start it with FRESHET_KAFKA_BROKERS, as the services are',
    { service: 'log' },
  )
}
