import {
  GetFeedRequest,
  GetRelatedPinsRequest,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Asked } from './case.ts'
import type { World } from './playing-world.ts'
import type { TrueUser } from './truth.ts'

const patience = { timeoutMs: 60_000 }

/** What a user asks next. */
export function ask({ draws, product, pins }: World, user: TrueUser): Asked {
  const related = draws.chance(0.1)
  const all = [...pins.keys()]
  return {
    surface: related ? 'related' : 'home',
    about: related ? draws.pick(all) : '',
    pageSize: draws.pick([5, 10, 25]),
    atMs: product.nowMs(),
    locale: user.locale,
    topics: draws.chance(0.05) ? [`topic${draws.below(15)}`, `topic${draws.below(15)}`] : [],
    creators: draws.chance(0.03) ? [`creator${draws.below(40)}`, `creator${draws.below(40)}`] : [],
    boardsOf: draws.chance(0.04) ? [`user-${draws.below(40)}`, `user-${draws.below(40)}`] : [],
    maxAgeMs: draws.chance(0.05) ? 1000 * (1 + draws.below(1_000_000)) : null,
    exclude: draws.chance(0.2) ? draws.some(all, 20) : [],
    seenElsewhere: draws.chance(0.1) ? draws.some(all, 20) : [],
    labels: user.labels,
    age: user.age,
    includesOwn: user.includesOwn,
    before: [],
    above: [],
  }
}

/** Asks the product. */
export function request(
  { product }: World,
  { userId }: TrueUser,
  asked: Asked,
  pageToken: string,
): Promise<GetFeedResponse | GetRelatedPinsResponse> {
  const filter = {
    topicIds: [...asked.topics],
    creatorIds: [...asked.creators],
    boardIds: asked.boardsOf.map((userId) => `board-${userId}`),
    ...(asked.maxAgeMs !== null && { maxAgeMs: asked.maxAgeMs }),
    excludePinIds: [...asked.exclude],
    seenPinIds: [...asked.seenElsewhere],
    allowedSafetyLabels: [...asked.labels],
    ...(asked.age !== null && { userAge: asked.age }),
    includeOwnPins: asked.includesOwn,
  }
  const { pageSize, locale, atMs } = asked
  const common = { userId, pageSize, locale, atMs, filter }
  const { blender } = product.embedded
  return asked.surface === 'home'
    ? blender.getFeed(GetFeedRequest.fromPartial({ ...common, pageToken }), patience)
    : blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({ ...common, pinId: asked.about }), patience)
}
