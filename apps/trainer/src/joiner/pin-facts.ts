import { createKeyTable } from '@freshet/columns/key-table'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { hash32, mix32 } from '@freshet/domain/hash'

/** Topics and creator of a pin. */
export interface PinFacts {
  readonly topics: readonly string[]
  /** '': not known. */
  readonly creatorId: string
}

/** Topics and creators from the catalogue, in columns: about 40 bytes a pin. Each creator and each list of topics is kept once. */
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
  const creators = createNumbered<string>()
  const lists = createNumbered<readonly string[]>()
  // Numbers by row of the pin.
  let creatorOf = new Uint32Array(1024)
  let listOf = new Uint32Array(1024)
  return {
    fold(key, value) {
      const change = decodePinChange(key, value)
      if (change.kind === 'delete') return
      const { pinId, topics, creatorId } = change.pin
      const pin = keyOf(pinId)
      const known = rows.get(...pin)
      const row = known < 0 ? rows.size : known
      if (known < 0) rows.set(...pin, row)
      if (row >= creatorOf.length) {
        creatorOf = grown(creatorOf)
        listOf = grown(listOf)
      }
      creatorOf[row] = creators.numberOf(creatorId ?? '', () => creatorId ?? '')
      listOf[row] = lists.numberOf(JSON.stringify(topics), () => [...topics])
    },
    of(pinId) {
      const row = rows.get(...keyOf(pinId))
      if (row < 0) return unknown
      return { topics: lists.at(listOf[row] as number), creatorId: creators.at(creatorOf[row] as number) }
    },
    get pins() {
      return rows.size
    },
  }
}

/** Things with equal names are kept once, under one number. */
function createNumbered<Thing>(): {
  numberOf(name: string, make: () => Thing): number
  at(number: number): Thing
} {
  const things: Thing[] = []
  const numbers = new Map<string, number>()
  return {
    numberOf(name, make) {
      const known = numbers.get(name)
      if (known !== undefined) return known
      numbers.set(name, things.length)
      return things.push(make()) - 1
    },
    at: (number) => things[number] as Thing,
  }
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * column.length)
  longer.set(column)
  return longer
}

function keyOf(pinId: string): [high: number, low: number] {
  const high = hash32(pinId, 0x66616374)
  return [high, mix32(hash32(pinId) ^ Math.imul(high, 0x9e3779b1))]
}
