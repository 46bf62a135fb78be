import type {
  GetPinsRequest,
  GetPinsResponse,
  LeftOutPin,
  PinCard,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Pin } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { checkPinIds } from '../lists/list-request.ts'
import type { Creators } from '../facts/creators.ts'
import type { PinFacts } from '../pin-facts.ts'
import { checkTime } from '../request.ts'
import type { PinCards } from './pin-cards.ts'

/** The most pins that a request may ask for. */
export const maxCards = 500

/** Where the cards come from. */
export interface CardPorts {
  readonly cards: PinCards
  readonly facts: Pick<PinFacts, 'rowOf' | 'isDeleted'>
  readonly creators: Pick<Creators, 'isClosedId' | 'of'>
  readonly nowMs: number
}

/** What a page draws of pins. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function getPins(
  { pinIds, atMs }: GetPinsRequest,
  { cards, facts, creators, nowMs }: CardPorts,
): GetPinsResponse {
  checkPinIds(pinIds, maxCards)
  const shownAtMs = checkTime(atMs, nowMs)
  const pins: PinCard[] = []
  const missing: LeftOutPin[] = []
  for (const pinId of new Set(pinIds)) {
    const pin = cards.of(pinId)
    const reason = pin === null ? whyMissing(pinId, facts) : whyNotShown(pin, { atMs: shownAtMs, creators })
    if (pin === null || reason !== null) missing.push({ pinId, reason: reason ?? 'no-room' })
    else pins.push(toCard(pinId, pin, creators))
  }
  return { pins, missing }
}

/** Why a pin has no card; null: the catalogue has the pin, but there was no room for its card. */
function whyMissing(pinId: string, facts: CardPorts['facts']): string | null {
  const keys = pinKeysOf([pinId])
  const row = facts.rowOf(keys.high[0]!, keys.low[0]!)
  if (row < 0) return 'not-in-catalogue'
  return facts.isDeleted(row) ? 'deleted' : null
}

function whyNotShown(
  { creatorId, availableFromMs, expiresAtMs }: Pin,
  { atMs, creators }: Pick<CardPorts, 'creators'> & { readonly atMs: number },
): string | null {
  if (creators.isClosedId(creatorId)) return 'suspended-creator'
  if (expiresAtMs !== undefined && atMs >= expiresAtMs) return 'expired'
  return availableFromMs !== undefined && atMs < availableFromMs ? 'not-yet-available' : null
}

function toCard(pinId: string, pin: Pin, creators: CardPorts['creators']): PinCard {
  const { title, description, imageUrl, creatorId, topics, locale, safetyLabels, minAge, createdAtMs } = pin
  const creator = creators.of(creatorId)
  return {
    creatorName: creator?.name ?? '',
    creatorImageUrl: creator?.imageUrl ?? '',
    ...{ pinId, title, description, imageUrl, creatorId, topics, locale, safetyLabels, minAge },
    ...(createdAtMs !== undefined && { createdAtMs }),
  }
}
