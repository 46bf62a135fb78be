import { ServiceError } from './errors.ts'

/**
 * The life of a service: `starting` (opening what it needs; alive, not ready) → `ready` (takes traffic, as long as no
 * component says otherwise) → `draining` (takes nothing new, finishes what it has) → `stopped`. A failed start goes
 * from `starting` to `draining`. There is no way back.
 */
export type ServiceState = 'starting' | 'ready' | 'draining' | 'stopped'

export const serviceStates: readonly ServiceState[] = ['starting', 'ready', 'draining', 'stopped']

/** A part of a service that has to be asked how it is and ended in order: a server, a reader, a connection. */
export interface Component {
  readonly name: string
  /** Why the service must not get traffic now; null: this part is ready. */
  readonly notReady?: () => string | null
  /** What is wrong though the service does its work, for who looks at its health; null: nothing. */
  readonly warning?: () => string | null
  /** Why the process should be restarted; null: this part is alive. */
  readonly notAlive?: () => string | null
  /** Stops intake and finishes what is in flight: handled, flushed, committed. */
  readonly drain?: () => Promise<void>
  /** Frees what the part holds. */
  readonly close?: () => Promise<void>
}

/** What health checks see. */
export interface Health {
  readonly state: ServiceState
  readonly ok: boolean
  /** `component: reason` for everything that is wrong. */
  readonly reasons: readonly string[]
  /** `component: warning` for what is wrong though `ok`; absent: nothing. */
  readonly warnings?: readonly string[]
}

/** A service as its process sees it. */
export interface Service {
  state(): ServiceState
  /** Adds a part. Parts drain and close in reverse order of being added, one after the other: a server added last stops intake before the reader and the log under it go. */
  use(component: Component): void
  /** Runs `open`, which adds the parts, then turns ready. When it fails, what was opened is closed, and the error comes out. */
  start(open: () => Promise<void>): Promise<void>
  /** Drains and closes everything; the second call waits for the first. Rejects with STOP_FORCED when it takes longer than its bound. */
  stop(): Promise<void>
  readiness(): Health
  liveness(): Health
  /** Called at every change of state. */
  onState(listener: (state: ServiceState) => void): void
}

/** How a service is made. */
export interface CreateServiceOptions {
  readonly name: string
  /** How long stopping may take. */
  readonly stopTimeoutMs: number
  /** Called with every error of draining and closing; the remaining steps still run. */
  readonly onStopError: (component: string, error: unknown) => void
}

/** The lifecycle without the process: states, order, bound. Several can run in one process. */
export function createService(options: CreateServiceOptions): Service {
  let state: ServiceState = 'starting'
  let stopping: Promise<void> | null = null
  let step = ''
  const components: Component[] = []
  const listeners: ((state: ServiceState) => void)[] = []

  const enter = (next: ServiceState): void => {
    state = next
    for (const listener of listeners) listener(next)
  }

  const closeAll = async (): Promise<void> => {
    for (const phase of ['drain', 'close'] as const) {
      for (const component of components.toReversed()) {
        step = `${component.name} (${phase})`
        try {
          await component[phase]?.()
        } catch (error) {
          options.onStopError(component.name, error)
        }
      }
    }
  }

  const stop = async (): Promise<void> => {
    enter('draining')
    let timer: NodeJS.Timeout | undefined
    const bound = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new ServiceError(
            'STOP_FORCED',
            `${options.name} did not stop within ${options.stopTimeoutMs} ms: waiting for ${step}`,
          ),
        )
      }, options.stopTimeoutMs)
    })
    try {
      await Promise.race([closeAll(), bound])
    } finally {
      clearTimeout(timer)
      enter('stopped')
    }
  }

  const reasonsOf = (ask: 'notReady' | 'notAlive' | 'warning'): string[] =>
    components.flatMap((component) => {
      const reason = component[ask]?.() ?? null
      return reason === null ? [] : [`${component.name}: ${reason}`]
    })

  const service: Service = {
    state: () => state,
    use(component) {
      components.push(component)
    },
    async start(open) {
      try {
        await open()
      } catch (error) {
        await service.stop().catch((stopError: unknown) => {
          options.onStopError(options.name, stopError)
        })
        throw error
      }
      if (state === 'starting') enter('ready')
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
    readiness() {
      const reasons = state === 'ready' ? reasonsOf('notReady') : [`${options.name}: ${state}`]
      const warnings = reasonsOf('warning')
      return { state, ok: reasons.length === 0, reasons, ...(warnings.length > 0 && { warnings }) }
    },
    liveness() {
      const reasons = reasonsOf('notAlive')
      return { state, ok: reasons.length === 0 && state !== 'stopped', reasons }
    },
    onState(listener) {
      listeners.push(listener)
    },
  }
  return service
}
