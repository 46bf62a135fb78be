/** A similarity search over vectors of one width, keyed by row number. Similarity is the dot product; callers normalise vectors to get the cosine. */
export interface VectorIndex {
  readonly dimensions: number
  readonly size: number
  /** Adds or replaces the vector of a row. O(1). Throws a RangeError for a wrong width, NaN or infinity. */
  upsert(row: number, vector: Float32Array): void
  /** Removes a row; an unknown row is not an error. O(1). */
  remove(row: number): void
  /** The `k` rows with the largest dot product with the query, best first; ties by smaller row. */
  search(query: Float32Array, k: number, options?: VectorSearchOptions): VectorHits
}

/** Options of a search. */
export interface VectorSearchOptions {
  /** Filters rows during the search, so that the answer still has `k` rows; absent: all rows are allowed. */
  readonly accept?: (row: number) => boolean
  /** Called now and then with the number of rows read since the last call; returning true ends the search with the best rows so far. */
  readonly due?: (rows: number) => boolean
}

/** Rows and their dot products, best first, of equal length. */
export interface VectorHits {
  readonly rows: Int32Array
  readonly scores: Float32Array
}
