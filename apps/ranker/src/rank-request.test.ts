import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { describe, expect, it } from 'vitest'
import { parseCandidates } from './rank-request.ts'
import { aRequest } from './testing.ts'

describe('a request to rank', () => {
  it('is parsed to candidates with scores and a user', () => {
    const { pinIds, retrievalScores, user, atMs } = parseCandidates(aRequest(3), 10)
    expect(pinIds).toEqual(['p0', 'p1', 'p2'])
    expect([...retrievalScores]).toEqual([0.5, Math.fround(1 / 3), 0.25])
    expect(user?.recent.pinIds).toEqual(['p0', 'p1'])
    expect(atMs).toBe(aRequest(3).atMs)
  })

  it('may have no user, or one without state', () => {
    expect(parseCandidates(aRequest(1, { userState: new Uint8Array() }), 10).user).toBeNull()
    expect(parseCandidates(aRequest(1, { userId: '', userState: new Uint8Array() }), 10).user).toBeNull()
  })

  const scores = (...values: readonly number[]): Partial<RankRequest> => ({
    retrievalScores: bytesOf(Float32Array.from(values)),
  })
  it.each<readonly [string, Partial<RankRequest>, RegExp]>([
    ['a session with a space', { sessionId: 'a b' }, /^session_id contains a space/],
    ['no time', { atMs: 0 }, /^at_ms is 0; give the time of the request in milliseconds since the epoch$/],
    ['a time before the epoch', { atMs: -5 }, /^at_ms is -5;/],
    ['a time that is NaN', { atMs: NaN }, /^at_ms is NaN;/],
    ['a time with a fraction', { atMs: 1.5 }, /^at_ms is 1.5;/],
    ['an empty pin', { pinIds: ['p0', ''] }, /^pin_ids\[1\] is empty; give 1–128 characters/],
    ['a pin with a space', { pinIds: ['a b', 'p1'] }, /^pin_ids\[0\] contains a space/],
    ['a pin that is too long', { pinIds: ['p0', 'x'.repeat(129)] }, /^pin_ids\[1\] has 129 characters/],
    ['too few scores', scores(1), /^retrieval_scores has 4 bytes; 2 candidates need 4 each$/],
    ['too many scores', scores(1, 2, 3), /^retrieval_scores has 12 bytes;/],
    ['scores of another width', { retrievalScores: new Uint8Array(7) }, /^retrieval_scores has 7 bytes;/],
    ['a score that is NaN', scores(1, NaN), /^retrieval_scores\[1\] is NaN; give a finite number$/],
    ['a score that is infinite', scores(-Infinity, 1), /^retrieval_scores\[0\] is -Infinity;/],
    [
      'a damaged user state',
      { userState: Uint8Array.of(255, 255, 255) },
      /^user_state cannot be decoded \(.*\); send it/,
    ],
  ])('with %s is rejected by field', (_what, given, why) => {
    const request = { ...aRequest(2), ...given }
    expect(() => parseCandidates(request, 10)).toThrow(
      expect.objectContaining({ code: 'CALL_INVALID_ARGUMENT', message: expect.stringMatching(why) as string }),
    )
  })

  it('with 100,000 candidates is rejected by their number, without a check of each', () => {
    const pinIds = new Proxy(new Array<string>(100_000).fill('p'), {
      get: (list, key) => {
        if (key === 'length') return list.length
        throw new Error(`looked at ${String(key)}`)
      },
    })
    expect(() => parseCandidates({ ...aRequest(1), pinIds }, 2_000)).toThrow(
      'pin_ids holds 100000 candidates; at most 2000 are allowed',
    )
    expect(parseCandidates(aRequest(2_000), 2_000).pinIds).toHaveLength(2_000)
  })
})
