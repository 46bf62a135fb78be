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
}

/** A catalogue change: the pin's new entry, or its removal. */
export type PinChange =
  { readonly kind: 'upsert'; readonly pin: Pin } | { readonly kind: 'delete'; readonly pinId: PinId }
