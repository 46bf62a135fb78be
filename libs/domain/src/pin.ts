import type { CreatorId, PinId, TopicId } from './ids.ts'

/** A pin as the catalogue knows it. */
export interface Pin {
  readonly pinId: PinId
  readonly title: string
  readonly description: string
  readonly topics: readonly TopicId[]
  readonly creatorId: CreatorId | null
  /** When the pin was published, milliseconds since the epoch; null: the owner gave no time. */
  readonly createdAtMs: number | null
  /** BCP 47, e.g. `de-DE`; null: fits every locale. */
  readonly locale: string | null
  readonly imageUrl: string | null
  /** Of one width for the whole catalogue, finite, not all zero; null: the owner has none. */
  readonly visualEmbedding: Float32Array | null
  /** The pin is not shown before this time, milliseconds since the epoch; null: no limit. */
  readonly availableFromMs: number | null
  /** The pin is not shown from this time on, milliseconds since the epoch; null: no limit. After `availableFromMs`. */
  readonly expiresAtMs: number | null
  /** What some users must not see, such as `adult`. A feed shows the pin only if its request allows all of them. */
  readonly safetyLabels: readonly string[]
  /** Users must be at least this many years old; 0: no limit. */
  readonly minAge: number
  /** Equal for pins with the same picture; null: not known. */
  readonly imageSignature: string | null
}

/** The fields of a pin that everyone may see at any time, and whose picture is not known. */
export const unrestrictedPin = {
  availableFromMs: null,
  expiresAtMs: null,
  safetyLabels: [],
  minAge: 0,
  imageSignature: null,
} as const satisfies Partial<Pin>

/** A catalogue change: the pin's new entry, or its removal. `version`: see `nextPinStamp`; absent: none given. */
export type PinChange =
  | { readonly kind: 'upsert'; readonly pin: Pin; readonly version?: number }
  | { readonly kind: 'delete'; readonly pinId: PinId; readonly version?: number }
