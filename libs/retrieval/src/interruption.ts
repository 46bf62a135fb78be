/** Signals long loops to break off. */
export interface Interruption {
  /** Counts entries that the loop has read; returns true once the time is up. */
  readonly due: (entries: number) => boolean
  /** Whether it has signalled a loop to break off. */
  readonly happened: boolean
}

/** Entries between two looks at the clock: some ten microseconds of work. */
const entriesPerLook = 2_048

/** Creates an interruption that happens once `isTimeUp`. It reads the clock only every so many entries, so the check costs little. */
export function createInterruption(isTimeUp: () => boolean): Interruption {
  let entries = 0
  let happened = false
  return {
    due(more) {
      entries += more
      if (happened || entries < entriesPerLook) return happened
      entries = 0
      happened = isTimeUp()
      return happened
    },
    get happened() {
      return happened
    },
  }
}

/** For work without a time limit. */
export const uninterrupted: Interruption = { due: () => false, happened: false }
