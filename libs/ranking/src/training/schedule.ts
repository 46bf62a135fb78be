import type { TrainingPlan } from '../plan/plan.ts'

/** How much smaller the rate is after a plateau. */
const fall = 0.1

/** How often the rate falls before training ends. */
const falls = 1

/** When the rate falls and when training ends. */
export interface Schedule {
  /** The rate of the next epoch. */
  rate(): number
  isOver(): boolean
  /**
   * Reports the validation loss after an epoch (null: there is none, so training runs for all its epochs at one rate).
   * Returns true if it is the lowest so far.
   */
  report(loss: number | null): boolean
}

/** Lets the rate fall after `patience` epochs without an improvement, and ends training after the next plateau. */
export function createSchedule({ epochs, learningRate, patience }: TrainingPlan): Schedule {
  let rate = learningRate
  let done = 0
  let best = Infinity
  let stale = 0
  let fallen = 0
  return {
    rate: () => rate,
    isOver: () => done >= epochs,
    report(loss) {
      done++
      if (loss === null) return false
      if (loss < best) {
        best = loss
        stale = 0
        return true
      }
      if (++stale < Math.max(1, patience)) return false
      stale = 0
      if (fallen++ >= falls) done = epochs
      else rate *= fall
      return false
    },
  }
}
