import {
  ExplainFeedRequest,
  ExplainFeedResponse,
  GetCapabilitiesRequest,
  GetCapabilitiesResponse,
  GetFeedRequest,
  GetFeedResponse,
  GetPinsRequest,
  GetPinsResponse,
  GetRelatedPinsRequest,
  GetRelatedPinsResponse,
  RankPinsRequest,
  RankPinsResponse,
  SearchByImageRequest,
  SearchByImageResponse,
} from '../gen/freshet/blending/v1/blending.ts'
import type { Blender } from './calls.ts'
import type { MethodCodecs } from './method.ts'

/** Every call of the blender, with the messages that it takes and answers. Transports are made from this list. */
export const blenderMethods = {
  getFeed: { name: 'GetFeed', request: GetFeedRequest, response: GetFeedResponse, reads: false },
  getRelatedPins: {
    name: 'GetRelatedPins',
    request: GetRelatedPinsRequest,
    response: GetRelatedPinsResponse,
    reads: false,
  },
  rankPins: { name: 'RankPins', request: RankPinsRequest, response: RankPinsResponse, reads: true },
  getPins: { name: 'GetPins', request: GetPinsRequest, response: GetPinsResponse, reads: true },
  searchByImage: { name: 'SearchByImage', request: SearchByImageRequest, response: SearchByImageResponse, reads: true },
  explainFeed: { name: 'ExplainFeed', request: ExplainFeedRequest, response: ExplainFeedResponse, reads: true },
  getCapabilities: {
    name: 'GetCapabilities',
    request: GetCapabilitiesRequest,
    response: GetCapabilitiesResponse,
    reads: true,
  },
} satisfies { readonly [Method in keyof Blender]: MethodOf<Blender[Method]> }

type MethodOf<Call> = Call extends (request: infer Request, options: never) => Promise<infer Response>
  ? MethodCodecs<Request, Response>
  : never
