import type { DropReason, Problem } from './options.ts'

/** Something that waits to be sent. Browsers keep it under these names, so they do not change. */
export interface NewEntry {
  /** The event's id. */
  readonly id: string
  /** The user whose token the answer has. */
  readonly user: string
  /** When it was tracked, milliseconds since the epoch. */
  readonly at: number
  /** The body of the event. */
  readonly json: string
  /** Where to post it alone; absent: it is an engagement, sent in batches. */
  readonly to?: string
}

/** How an entry ended without being accepted. */
export type Ending = DropReason | Problem

/** An entry in a store. */
export interface Entry extends NewEntry {
  /** Positive, and larger than those of older entries. */
  readonly key: number
  /** It has ended, but may not have been reported yet. */
  readonly ending?: Ending
}

/** Whether the store is still held; prolongs it. */
export type StillMine = () => Promise<boolean>

/** Where entries survive the page or the process. Calls reject when the storage fails; a failed `put` has written nothing. */
export interface Store {
  /** Adds entries without a key and replaces those with one. Resolves when they are safe. */
  put(entries: readonly (NewEntry | Entry)[]): Promise<unknown>
  /** The oldest entries. */
  first(count: number): Promise<readonly Entry[]>
  remove(keys: readonly number[]): Promise<unknown>
  /** Runs `run` while no other page with this store runs one. If that can end before `run` does, `run` can ask, which also prolongs it. */
  exclusive<T>(run: (isStillMine?: StillMine) => Promise<T>): Promise<T>
  close(): Promise<unknown>
}

/** What an entry takes, bytes: more than its body, whose ids are nearly always ASCII. */
export const sizeOf = ({ json }: { readonly json: unknown }): number => String(json).length + 200

/** RFC 3339 of milliseconds since the epoch. */
export const isoOf = (ms: number): string => new Date(ms).toISOString()

/** The value of a text of JSON; null: it is damaged. */
export function parsed(json: string | null): object | null {
  try {
    return JSON.parse(json!) as object | null
  } catch {
    return null
  }
}
