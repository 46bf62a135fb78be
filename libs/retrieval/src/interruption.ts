/** Tells long loops when to break off. */
export interface Interruption {
  /** Counts entries that were looked at; true from when the time was found to be up. */
  readonly due: (entries: number) => boolean
  /** Whether it has told anybody to break off. */
  readonly happened: boolean
}

/** Entries between two looks at the clock: some ten microseconds of work. */
const entriesPerLook = 2_048

/** An interruption as soon as `isTimeUp`. The clock is asked now and then only, so that asking costs nothing beside the work. */
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

/** For work that has all the time it takes. */
export const uninterrupted: Interruption = { due: () => false, happened: false }
