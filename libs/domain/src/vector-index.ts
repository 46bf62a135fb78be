/** A similarity search over vectors of one width, keyed by row number. Similarity is the dot product; callers normalise where they want the cosine. */
export interface VectorIndex {
  readonly dimensions: number
  readonly size: number
  /** Adds or replaces the vector of a row. O(1). Throws a RangeError for a wrong width, NaN or infinity. */
  upsert(row: number, vector: Float32Array): void
  /** Removes a row; an unknown row is no error. O(1). */
  remove(row: number): void
  /** The `k` rows of largest dot product with the query, best first; ties by smaller row. */
  search(query: Float32Array, k: number, options?: VectorSearchOptions): VectorHits
}

/** What else a search is told. */
export interface VectorSearchOptions {
  /** Asked during the search, so that the answer does not shrink; absent: all rows may be in it. */
  readonly accept?: (row: number) => boolean
  /** Told now and then how many rows were read since; true breaks the search off with the best of what it has read. */
  readonly due?: (rows: number) => boolean
}

/** Rows and their dot products, best first, of equal length. */
export interface VectorHits {
  readonly rows: Int32Array
  readonly scores: Float32Array
}
