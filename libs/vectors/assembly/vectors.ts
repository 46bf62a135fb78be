/**
 * The hot loops of vector search, over one linear memory that the host lays out.
 *
 * A block holds up to 64 rows: next block u32, address of its f32 vectors u32, 8 bytes unused, then the scales, then the
 * codes of 7 bits, then the row numbers i32. A scale is an f32 whose last 8 bits are its row's error, in steps of the scale.
 * Of the codes, 4 dimensions of 16 rows follow each other, then the next 4 of the same rows, so that a search reads memory
 * in order and adds up rows in lanes. Rows are padded to a multiple of 16 dimensions by zeros.
 *
 * A row x is coded as u = round(x / scale) + 64 in [1, 127], the query in signed 8 bits. By Cauchy and Schwarz the coded
 * dot product is off by at most |q'|·|x − x'| + |q − q'|·|x|, so each row has an upper and a lower bound, and the search
 * drops a row only when k others are certainly better: the answer is that of a full f32 scan.
 */
export { firstFree, layout } from './vectors/layout'
export { copy, encode, encodeMean } from './vectors/coding'
export { begin, scan, spread } from './vectors/scan'
export { entered, finish, tighten } from './vectors/candidates'
export { meanScores, nearestMean } from './vectors/means'
