import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { noRetrieval } from '@freshet/domain/features/retrieval'
import { sourceNames } from '@freshet/domain/source-names'
import { describe, expect, it } from 'vitest'
import { parseRetrieval } from './rank-retrieval.ts'
import { aRequest } from './testing.ts'

/** p0 was found by pin2vec and a source of the future, p1 by trending, p2 by none. */
const found: Partial<RankRequest> = {
  retrievalRanks: bytesOf(Uint16Array.of(4, 0, 9)),
  sources: ['trending', 'of-the-future', 'pin2vec'],
  foundBy: bytesOf(Uint32Array.of(0b110, 0b001, 0)),
  sourceRanks: bytesOf(Uint16Array.of(1, 3, 0)),
  sourceScores: bytesOf(Float32Array.of(7, 0.5, -2)),
}
const none = new Uint8Array()

describe('what a request to rank says about retrieval', () => {
  it('is parsed to a row of the known sources per candidate', () => {
    const retrieval = parseRetrieval(aRequest(3, found))
    expect(retrieval.ranks).toEqual(Uint16Array.of(4, 0, 9))
    expect(retrieval.sourceCounts).toEqual(Uint8Array.of(2, 1, 0))
    const cellOf = (row: number, name: (typeof sourceNames)[number]) =>
      row * sourceNames.length + sourceNames.indexOf(name)
    const sourceRanks = new Float32Array(3 * sourceNames.length)
    const sourceScores = new Float32Array(3 * sourceNames.length)
    sourceRanks[cellOf(0, 'pin2vec')] = 0.25
    sourceScores[cellOf(0, 'pin2vec')] = 0.5
    sourceRanks[cellOf(1, 'trending')] = 1
    sourceScores[cellOf(1, 'trending')] = -2
    expect(retrieval).toMatchObject({ sourceRanks, sourceScores })
  })

  it('may be left out, as by an older blender', () => {
    expect(parseRetrieval(aRequest(3))).toEqual(noRetrieval)
    const { sourceRanks: _, ...withoutRanks } = found
    expect(parseRetrieval(aRequest(3, withoutRanks))).toEqual({
      ...noRetrieval,
      ranks: Uint16Array.of(4, 0, 9),
      sourceCounts: Uint8Array.of(2, 1, 0),
    })
  })

  it('may name 32 sources', () => {
    const sources = Array.from({ length: 32 }, (_, at) => `s${at}`)
    const foundBy = bytesOf(Uint32Array.of(0x80000000, 0xffffffff))
    expect(parseRetrieval(aRequest(2, { sources, foundBy })).sourceCounts).toEqual(Uint8Array.of(1, 32))
  })

  it.each<readonly [string, Partial<RankRequest>, RegExp]>([
    [
      'too few ranks',
      { retrievalRanks: new Uint8Array(4) },
      /^retrieval_ranks has 4 bytes; 3 candidates need 2 each, or none$/,
    ],
    [
      'too many sources',
      { sources: Array.from({ length: 33 }, (_, at) => `s${at}`) },
      /^sources has 33 names; at most 32 are allowed$/,
    ],
    ['a source without a name', { sources: ['trending', '', 'pin2vec'] }, /^sources\[1\] is empty;/],
    ['a source twice', { sources: ['a', 'b', 'a'] }, /^sources\[2\] repeats "a"; name each once$/],
    ['too few bits', { foundBy: new Uint8Array(8) }, /^found_by has 8 bytes; 3 candidates need 4 each, or none$/],
    [
      'a bit of no source',
      { foundBy: bytesOf(Uint32Array.of(1, 8, 1)) },
      /^found_by\[1\] sets a bit of a source that is not among the 3 of sources$/,
    ],
    [
      'bits without sources',
      { sources: [] },
      /^found_by\[0\] sets a bit of a source that is not among the 0 of sources$/,
    ],
    [
      'too many source ranks',
      { sourceRanks: new Uint8Array(8) },
      /^source_ranks has 8 bytes; the 3 bits of found_by need 2 each, or none$/,
    ],
    [
      'too few source scores',
      { sourceScores: new Uint8Array(8) },
      /^source_scores has 8 bytes; the 3 bits of found_by need 4 each, or none$/,
    ],
    ['ranks of no bits', { foundBy: none }, /^source_ranks has 6 bytes; the 0 bits of found_by need 2 each, or none$/],
    [
      'a score that is NaN',
      { sourceScores: bytesOf(Float32Array.of(7, NaN, 1)) },
      /^source_scores\[1\] is NaN; give a finite number$/,
    ],
  ])('with %s is rejected by field', (_what, given, why) => {
    expect(() => parseRetrieval(aRequest(3, { ...found, ...given }))).toThrow(
      expect.objectContaining({ code: 'CALL_INVALID_ARGUMENT', message: expect.stringMatching(why) as string }),
    )
  })
})
