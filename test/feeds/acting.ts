import type { Action, Subject } from '@freshet/domain/engagement'
import type { Answered } from './case.ts'
import type { World } from './playing-world.ts'
import type { TrueUser } from './truth.ts'

/** What a user does after a page: looks at most pins, likes some, wants never to see others, takes things back. */
export async function act(world: World, user: TrueUser, { items }: Answered): Promise<void> {
  const { draws, pins } = world
  for (const { pinId } of items) {
    if (draws.chance(0.6)) await say(world, user, 'impression', { kind: 'pin', pinId: pinId as never })
    const draw = draws.below(100)
    const pin = { kind: 'pin', pinId: pinId as never } as const
    if (draw < 6) await say(world, user, 'click', pin)
    else if (draw < 10) await say(world, user, 'save', pin)
    else if (draw < 13) await say(world, user, 'hide', pin)
    else if (draw < 14) await say(world, user, 'report', pin)
    const creatorId = pins.get(pinId)?.creatorId ?? 'creator0'
    if (draws.chance(0.003)) await say(world, user, 'block', { kind: 'creator', creatorId: creatorId as never })
  }
  if (draws.chance(0.02))
    await say(world, user, 'block', { kind: 'topic', topicId: `topic${draws.below(15)}` as never })
  if (draws.chance(0.03)) await say(world, user, 'block', { kind: 'word', word: `word${draws.below(40)}` })
  if (draws.chance(0.5)) await takeBack(world, user)
}

const back = { hide: 'unhide', report: 'unreport', save: 'unsave', block: 'unblock' } as const

async function takeBack(world: World, user: TrueUser): Promise<void> {
  const standing = [...user.wishes].filter(([, wish]) => wish.stands).map(([name]) => name)
  if (standing.length === 0) return
  const [what = '', id = ''] = world.draws.pick(standing).split(' ')
  if (what === 'block-creator') await say(world, user, back.block, { kind: 'creator', creatorId: id as never })
  else if (what === 'block-topic') await say(world, user, back.block, { kind: 'topic', topicId: id as never })
  else if (what === 'block-word') await say(world, user, back.block, { kind: 'word', word: id })
  else await say(world, user, back[what as 'hide'], { kind: 'pin', pinId: id as never })
}

/** The user does something: the product gets the event, and the world remembers it. */
async function say(world: World, user: TrueUser, action: Action, subject: Subject): Promise<void> {
  const { product, played } = world
  const number = ++world.eventNumber
  played.acts++
  const occurredAtMs = product.nowMs() + 1000
  await product.engagement({
    eventId: `event-${number}` as never,
    userId: user.userId as never,
    sessionId: null,
    action,
    subject,
    boardId: action === 'save' || action === 'unsave' ? (`board-${user.userId}` as never) : null,
    occurredAtMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  })
  if (action !== 'impression') user.acts++
  if (subject.kind === 'pin') user.seen.set(subject.pinId, { atMs: occurredAtMs, since: number })
  const wish = wishOf(action, subject)
  if (wish !== null) user.wishes.set(wish.name, { stands: wish.stands, since: number, own: user.acts })
}

function wishOf(action: Action, subject: Subject): { readonly name: string; readonly stands: boolean } | null {
  for (const [does, undoes] of Object.entries(back)) {
    if (action !== does && action !== undoes) continue
    const stands = action === does
    if (subject.kind === 'pin') return { name: `${does} ${subject.pinId}`, stands }
    if (subject.kind === 'creator') return { name: `block-creator ${subject.creatorId}`, stands }
    if (subject.kind === 'topic') return { name: `block-topic ${subject.topicId}`, stands }
    if (subject.kind === 'word') return { name: `block-word ${subject.word}`, stands }
  }
  return null
}
