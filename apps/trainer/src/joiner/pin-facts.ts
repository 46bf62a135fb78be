import { createKeyTable } from '@freshet/columns/key-table'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { hash32, mix32 } from '@freshet/domain/hash'

/** Topics and creator of a pin. */
export interface PinFacts {
  readonly topics: readonly string[]
  /** '': not known. */
  readonly creatorId: string
}

/** Topics and creators from the catalogue, in columns: about 40 bytes a pin. */
export interface PinFactsView {
  /** Folds a record of `pins.v1`. Throws CODEC_INVALID if it cannot be decoded. */
  fold(key: string, value: Uint8Array | null): void
  of(pinId: string): PinFacts
  readonly pins: number
}

const unknown: PinFacts = { topics: [], creatorId: '' }

/** An empty view. A pin that is deleted keeps its facts, because feeds of before may wait. */
export function createPinFacts(): PinFactsView {
  const rows = createKeyTable()
  const facts: PinFacts[] = []
  const numberOf = new Map<string, number>()
  return {
    fold(key, value) {
      const change = decodePinChange(key, value)
      if (change.kind === 'delete') return
      const { pinId, topics, creatorId } = change.pin
      const fact = { topics: [...topics], creatorId: creatorId ?? '' }
      const name = JSON.stringify(fact)
      const number = numberOf.get(name) ?? facts.push(fact) - 1
      numberOf.set(name, number)
      rows.set(...keyOf(pinId), number)
    },
    of: (pinId) => facts[rows.get(...keyOf(pinId))] ?? unknown,
    get pins() {
      return rows.size
    },
  }
}

function keyOf(pinId: string): [high: number, low: number] {
  const high = hash32(pinId, 0x66616374)
  return [high, mix32(hash32(pinId) ^ Math.imul(high, 0x9e3779b1))]
}
