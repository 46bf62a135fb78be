import { decodeArtefactPart, type ArtefactPartKey, type ArtefactWriting } from '@freshet/contracts/codecs/artefact-part'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { partsOfName } from '../shared/artefact-name.ts'

/** A writing of an artefact as far as the log has it. */
export interface FoundWriting extends ArtefactWriting {
  /** Positions of its parts in the log, by index. */
  readonly parts: ReadonlyMap<number, number>
  /** The position at which it became whole; null: parts are missing. */
  readonly wholeAt: number | null
  /** The position of its newest part. */
  readonly newestAt: number
}

/** Where the log has which parts; not their bytes. */
export interface ArtefactIndex {
  /** Takes a record. Throws what `decodeArtefactPart` throws, or ARTEFACT_NAME, and is as before then. */
  fold(record: LogRecord): void
  /** The writing of a name that became whole last; null: none is whole. */
  visible(name: string): FoundWriting | null
  /** All writings of a name, whole or not. */
  writings(name: string): readonly FoundWriting[]
  /** Names with a whole writing, sorted. */
  names(): readonly string[]
  /** Names without a whole writing, sorted. */
  unfinished(): readonly string[]
  clear(): void
}

/** An empty index. Folding a record twice changes nothing. */
export function createArtefactIndex(): ArtefactIndex {
  /** By name, then by digest and number of parts. */
  const byName = new Map<string, Map<string, ArtefactWriting & { readonly parts: Map<number, number> }>>()

  function removePart({ name, index, ...writing }: ArtefactPartKey): void {
    const found = byName.get(name)?.get(idOf(writing))
    found?.parts.delete(index)
    if (found?.parts.size === 0) byName.get(name)!.delete(idOf(writing))
    if (byName.get(name)?.size === 0) byName.delete(name)
  }

  function writings(name: string): readonly FoundWriting[] {
    return [...(byName.get(name)?.values() ?? [])].map((writing) => {
      const newestAt = Math.max(...writing.parts.values())
      return { ...writing, newestAt, wholeAt: writing.parts.size === writing.count ? newestAt : null }
    })
  }

  function visible(name: string): FoundWriting | null {
    const whole = writings(name).filter(({ wholeAt }) => wholeAt !== null)
    return whole.sort((a, b) => b.newestAt - a.newestAt)[0] ?? null
  }

  return {
    fold({ key, value, position }) {
      const part = decodeArtefactPart(key, value)
      // Nobody could remove an artefact with another name.
      partsOfName(part.name)
      if (part.bytes === null) return removePart(part)
      const { name, sha256, count, index } = part
      const ofName = byName.get(name) ?? new Map<string, ArtefactWriting & { readonly parts: Map<number, number> }>()
      byName.set(name, ofName)
      const writing = ofName.get(idOf(part)) ?? { name, sha256, count, parts: new Map<number, number>() }
      ofName.set(idOf(part), writing)
      writing.parts.set(index, position)
    },
    visible,
    writings,
    names: () => [...byName.keys()].filter((name) => visible(name) !== null).sort(),
    unfinished: () => [...byName.keys()].filter((name) => visible(name) === null).sort(),
    clear: () => byName.clear(),
  }
}

function idOf({ sha256, count }: Pick<ArtefactWriting, 'sha256' | 'count'>): string {
  return `${sha256}.${count}`
}
