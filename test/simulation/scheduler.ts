import type { Random } from '@freshet/domain/clock'

/** A process of the simulated world. Once dead, nothing that it waits for ever comes back. */
export interface SimProcess {
  readonly name: string
  dead: boolean
  /** Steps of the world during which it does not run: a long pause, after which it is a zombie. */
  pausedSteps: number
}

/** What happens to a call that a process makes to the outside. */
export type Fate = 'done' | 'refused' | 'done-but-refused' | 'crash-before' | 'crash-after'

/** Runs whatever waits in an order drawn from the seed: every interleaving of awaits is a seed away. */
export interface Scheduler {
  /** A call of a process to the outside: its effect happens at some step, and its fate is drawn there. */
  call<T>(process: SimProcess, what: string, effect: (fate: Fate) => T): Promise<T>
  /** Runs one waiting call; false: nothing can run. */
  step(): Promise<boolean>
  /** From now on nothing fails. */
  calm(): void
  /** From now on calls may fail again. */
  storm(): void
  readonly trace: string[]
}

/** How likely each fault is, per call. */
export interface Faults {
  readonly refused: number
  readonly doneButRefused: number
  readonly crash: number
}

interface Waiting {
  readonly process: SimProcess
  readonly what: string
  readonly run: (fate: Fate) => void
}

/** Thrown at a call that was refused. */
export class SimulatedFault extends Error {
  constructor(what: string) {
    super(`simulated fault: ${what}`)
    this.name = 'SimulatedFault'
  }
}

/** A scheduler that draws from `random`. `onCrash` is called with a process that died at a call. */
export function createScheduler(random: Random, faults: Faults, onCrash: (process: SimProcess) => void): Scheduler {
  const waiting: Waiting[] = []
  const trace: string[] = []
  let calm = false

  const drawFate = (): Fate => {
    if (calm) return 'done'
    let draw = random.next()
    if ((draw -= faults.refused) < 0) return 'refused'
    if ((draw -= faults.doneButRefused) < 0) return 'done-but-refused'
    if ((draw -= faults.crash / 2) < 0) return 'crash-before'
    if ((draw -= faults.crash / 2) < 0) return 'crash-after'
    return 'done'
  }

  return {
    call: (process, what, effect) =>
      new Promise((resolve, reject) => {
        waiting.push({
          process,
          what,
          run(fate) {
            if (fate === 'crash-before' || fate === 'crash-after') {
              if (fate === 'crash-after') effect(fate)
              process.dead = true
              onCrash(process)
              return
            }
            if (fate === 'refused') {
              // A refused call may have had a part of its effect: the effect decides.
              effect(fate)
              reject(new SimulatedFault(what))
              return
            }
            const result = effect(fate)
            if (fate === 'done') resolve(result)
            else reject(new SimulatedFault(`${what}, done all the same`))
          },
        })
      }),
    async step() {
      for (let at = waiting.length - 1; at >= 0; at--) if (waiting[at]?.process.dead === true) waiting.splice(at, 1)
      const ready = calm ? waiting : waiting.filter(({ process }) => process.pausedSteps <= 0)
      for (const { process } of waiting) if (process.pausedSteps > 0) process.pausedSteps--
      const chosen = ready[Math.floor(random.next() * ready.length)]
      if (chosen === undefined) return waiting.length > 0
      waiting.splice(waiting.indexOf(chosen), 1)
      const fate = drawFate()
      trace.push(`${chosen.process.name} ${chosen.what}${fate === 'done' ? '' : ` [${fate}]`}`)
      chosen.run(fate)
      await new Promise((resolve) => setImmediate(resolve))
      return true
    },
    calm() {
      calm = true
    },
    storm() {
      calm = false
    },
    trace,
  }
}

/** Makes a call again until it is not refused; what is no simulated fault goes on. */
export async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof SimulatedFault)) throw error
    }
  }
}
