import { cross } from './categorical/cross.ts'
import { hash } from './categorical/hash.ts'
import { hashText } from './categorical/hash-text.ts'
import { hashTopics } from './categorical/hash-topics.ts'
import { lookup } from './categorical/lookup.ts'
import { oneHot } from './categorical/one-hot.ts'
import { forest } from './fitted/forest.ts'
import { isotonic } from './fitted/isotonic.ts'
import { platt } from './fitted/platt.ts'
import { quantiles } from './fitted/quantiles.ts'
import { semanticIds } from './fitted/semantic-ids.ts'
import { standardise } from './fitted/standardise.ts'
import { targetRate } from './fitted/target-rate.ts'
import { vocabulary } from './fitted/vocabulary.ts'
import { abs } from './numeric/abs.ts'
import { age } from './numeric/age.ts'
import { bucketise } from './numeric/bucketise.ts'
import { clip } from './numeric/clip.ts'
import { concat } from './numeric/concat.ts'
import { cosine } from './numeric/cosine.ts'
import { decayed } from './numeric/decayed.ts'
import { dot } from './numeric/dot.ts'
import { exp } from './numeric/exp.ts'
import { identity } from './numeric/identity.ts'
import { log } from './numeric/log.ts'
import { log1p } from './numeric/log1p.ts'
import { max } from './numeric/max.ts'
import { min } from './numeric/min.ts'
import { norm } from './numeric/norm.ts'
import { sigmoid } from './numeric/sigmoid.ts'
import { signedLog1p } from './numeric/signed-log1p.ts'
import { smoothedRate } from './numeric/smoothed-rate.ts'
import { sqrt } from './numeric/sqrt.ts'
import { add } from './operators/add.ts'
import { and } from './operators/and.ts'
import { constant } from './operators/constant.ts'
import { defaultTo } from './operators/default.ts'
import { divide } from './operators/divide.ts'
import { equal } from './operators/equal.ts'
import { exists } from './operators/exists.ts'
import { greater } from './operators/greater.ts'
import { greaterEqual } from './operators/greater-equal.ts'
import { ifThenElse } from './operators/if.ts'
import { less } from './operators/less.ts'
import { lessEqual } from './operators/less-equal.ts'
import { multiply } from './operators/multiply.ts'
import { negate } from './operators/negate.ts'
import { not } from './operators/not.ts'
import { notEqual } from './operators/not-equal.ts'
import { or } from './operators/or.ts'
import { power } from './operators/power.ts'
import { subtract } from './operators/subtract.ts'
import { length } from './sequence/length.ts'
import { pool } from './sequence/pool.ts'
import type { Transform } from './definition.ts'
import { learnedTransforms } from './learned/catalogue.ts'

/** Every transform, in the order of the reference. To add one, write its file and a line here. */
const all: readonly Transform[] = [
  // numeric/
  log,
  log1p,
  signedLog1p,
  exp,
  sqrt,
  abs,
  min,
  max,
  clip,
  sigmoid,
  identity,
  age,
  decayed,
  smoothedRate,
  bucketise,
  dot,
  cosine,
  norm,
  concat,
  // operators/
  constant,
  add,
  subtract,
  multiply,
  divide,
  power,
  negate,
  less,
  lessEqual,
  equal,
  notEqual,
  greater,
  greaterEqual,
  and,
  or,
  not,
  ifThenElse,
  exists,
  defaultTo,
  // categorical/
  hash,
  cross,
  oneHot,
  lookup,
  hashText,
  hashTopics,
  // sequence/
  pool,
  length,
  // fitted/
  standardise,
  quantiles,
  vocabulary,
  semanticIds,
  platt,
  isotonic,
  targetRate,
  forest,
  // learned/
  ...learnedTransforms,
]

/** Transforms by the names that a spec calls. */
export type TransformCatalogue = ReadonlyMap<string, Transform>

/** The transforms that ship. */
export const transformCatalogue: TransformCatalogue = new Map(all.map((transform) => [transform.name, transform]))
