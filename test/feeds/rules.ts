import { overAcrossPages, overCreators, overTopics } from './caps.ts'
import type { Answered, Case } from './case.ts'
import { overShares } from './shares.ts'
import { stands, type TruePin, type TrueUser } from './truth.ts'

type Item = Answered['items'][number]
/** A rule about single pins: whether this one must not be there. */
type PinRule = (pin: TruePin, item: Item, of: Case) => boolean

const dayMs = 86_400_000
/** Seen pins are remembered for two generations of a week; the younger one is certain. */
const surelySeenMs = 6 * dayMs

/** Rules about each pin of an answer, by name. A pin that breaks one must not be there. */
export const pinRules: Readonly<Record<string, PinRule>> = {
  'not yet available': (pin, _, { asked }) => pin.availableFromMs !== null && asked.atMs < pin.availableFromMs,
  expired: (pin, _, { asked }) => pin.expiresAtMs !== null && asked.atMs >= pin.expiresAtMs,
  'safety label': (pin, _, { asked }) => pin.labels.some((label) => !asked.labels.includes(label)),
  'minimum age': (pin, _, { asked }) => pin.minAge > (asked.age ?? 0),
  'other locale': (pin, _, { asked, offered }) => !fits(pin.locale, asked.locale, offered),
  hidden: ({ pinId }, _, { user, until }) => stands(user, `hide ${pinId}`, until),
  reported: ({ pinId }, _, { user, until }) => stands(user, `report ${pinId}`, until),
  'blocked creator': ({ creatorId }, _, { user, until }) => stands(user, `block-creator ${creatorId}`, until),
  'blocked topic': ({ topics }, _, { user, until }) =>
    topics.some((topic) => stands(user, `block-topic ${topic}`, until)),
  'blocked word': ({ words }, _, { user, until }) => words.some((word) => stands(user, `block-word ${word}`, until)),
  'own pin': ({ creatorId }, _, { user, asked }) => creatorId === user.userId && !asked.includesOwn,
  'already saved': ({ pinId }, _, { user, asked, until }) =>
    asked.surface === 'home' && isRecentSave(user, pinId) && stands(user, `save ${pinId}`, until),
  excluded: ({ pinId }, _, { asked }) => asked.exclude.includes(pinId),
  'seen elsewhere': ({ pinId }, { seenAgain }, { asked }) => asked.seenElsewhere.includes(pinId) && !seenAgain,
  'topic not asked for': ({ topics }, _, { asked }) =>
    asked.topics.length > 0 && !topics.some((topic) => asked.topics.includes(topic)),
  'creator not asked for': ({ creatorId }, _, { asked }) =>
    asked.creators.length > 0 && !asked.creators.includes(creatorId),
  'not on the board': ({ pinId }, _, { asked, truth }) =>
    asked.boardsOf.length > 0 && !asked.boardsOf.some((userId) => isSavedBy(truth.users.get(userId), pinId)),
  'too old': ({ createdAtMs }, _, { asked }) => asked.maxAgeMs !== null && createdAtMs < asked.atMs - asked.maxAgeMs,
  'the pin itself': ({ pinId }, _, { asked }) => pinId === asked.about,
  'seen, not marked': ({ pinId }, { seenAgain }, of) => !seenAgain && wasSeen(pinId, of),
  'marked, never seen': ({ pinId }, { seenAgain }, { user, asked }) =>
    seenAgain &&
    !user.seen.has(pinId) &&
    !user.shown.some((one) => one.pinId === pinId) &&
    !asked.seenElsewhere.includes(pinId),
  'repeated within the window': ({ pinId }, { seenAgain }, of) => !seenAgain && wasShown(pinId, of),
  'repeated across pages': ({ pinId }, _, { asked }) => asked.before.includes(pinId),
}

/** Rules about a whole answer, by name: what is wrong with it, in words; null: nothing. */
export const pageRules: Readonly<Record<string, (of: Case) => string | null>> = {
  'unknown pin': ({ truth, answered }) =>
    first(answered.items.filter(({ pinId }) => !truth.pins.has(pinId) && !truth.deleted.has(pinId))),
  'deleted pin': ({ truth, answered }) => first(answered.items.filter(({ pinId }) => truth.deleted.has(pinId))),
  'twice on a page': ({ answered: { items } }) =>
    first(items.filter(({ pinId }, at) => items.findIndex((other) => other.pinId === pinId) !== at)),
  'longer than asked': ({ answered: { items }, asked: { pageSize } }) =>
    items.length > pageSize ? `${items.length} of ${pageSize}` : null,
  'same picture': samePicture,
  'cap of creators': overCreators,
  'cap of topics': overTopics,
  'cap across pages': overAcrossPages,
  'shares of sources': overShares,
}

/** Names of the rules that a case breaks, with what breaks them. */
export function broken(of: Case): readonly string[] {
  const { truth, answered } = of
  const pins = answered.items.flatMap((item) => {
    const pin = truth.pins.get(item.pinId)
    if (pin === undefined) return []
    return Object.entries(pinRules).flatMap(([name, rule]) => (rule(pin, item, of) ? [`${name}: ${item.pinId}`] : []))
  })
  const pages = Object.entries(pageRules).flatMap(([name, rule]) => {
    const wrong = rule(of)
    return wrong === null ? [] : [`${name}: ${wrong}`]
  })
  return [...pins, ...pages]
}

/** Whether a pin of this locale suits a reader: the reader's region and the bare language; without the region in the catalogue, the whole language. */
export function fits(locale: string, reader: string, offered: readonly string[]): boolean {
  if (locale === '' || reader === '') return true
  const [language, region] = reader.split('-')
  if (locale.split('-')[0] !== language) return false
  const hasRegion = region !== undefined && offered.includes(reader)
  return !hasRegion || locale === language || locale === reader
}

/** Whether a pin is on the only board of a user. The candidate service knows what was settled, also if the state store does not answer. */
function isSavedBy(user: TrueUser | undefined, pinId: string): boolean {
  return user !== undefined && stands(user, `save ${pinId}`, Number.POSITIVE_INFINITY)
}

/** Saves are known among the last 200 acts other than impressions. */
function isRecentSave({ wishes, acts }: TrueUser, pinId: string): boolean {
  return acts - (wishes.get(`save ${pinId}`)?.own ?? 0) < 190
}

function wasSeen(pinId: string, { user, asked, until }: Case): boolean {
  const last = user.seen.get(pinId)
  if (asked.surface !== 'home' || last === undefined) return false
  return last.since <= until && asked.atMs - last.atMs < surelySeenMs
}

function wasShown(pinId: string, { user, asked, promised }: Case): boolean {
  if (asked.surface !== 'home') return false
  return user.shown.some((one) => one.pinId === pinId && asked.atMs - one.atMs < promised.servedWindowMs)
}

function samePicture({ truth, user, asked, answered: { items, isFull }, promised }: Case): string | null {
  const pictureOf = (pinId: string): string => truth.pins.get(pinId)?.picture ?? ''
  const before = new Set(
    asked.surface === 'home' && isFull
      ? user.shown
          .filter(({ atMs }) => asked.atMs - atMs < promised.servedWindowMs)
          .map(({ pinId }) => pictureOf(pinId))
      : [],
  )
  const wrong = items.filter(({ pinId, seenAgain }, at) => {
    const picture = pictureOf(pinId)
    if (picture === '') return false
    return items.slice(0, at).some((other) => pictureOf(other.pinId) === picture) || (!seenAgain && before.has(picture))
  })
  return first(wrong)
}

function first(items: readonly Item[]): string | null {
  return items[0]?.pinId ?? null
}
