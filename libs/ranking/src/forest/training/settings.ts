/** What a forest learns: a probability, or the order of the rows of each group. LightGBM's names. */
export type ForestObjective = 'binary' | 'lambdarank'

/** How trees grow. LightGBM's names and meanings, where it has the same setting, are in brackets. */
export interface ForestSettings {
  /** [objective] */
  readonly objective: ForestObjective
  /** Most trees [num_iterations]. */
  readonly trees: number
  /** Factor of every leaf [learning_rate]. */
  readonly learningRate: number
  /** Most leaves of a tree [num_leaves]. */
  readonly leaves: number
  /** Fewest rows of a leaf [min_data_in_leaf]. */
  readonly minRowsInLeaf: number
  /** Least sum of second derivatives in a leaf [min_sum_hessian_in_leaf]. */
  readonly minHessianInLeaf: number
  /** Share of the features that each tree may use, drawn by `seed` [feature_fraction]. */
  readonly featureFraction: number
  /** Added to the second derivatives of a leaf [lambda_l2]. */
  readonly lambda: number
  /** Most bins of a number, the bin of missing values apart [max_bin]. */
  readonly maxBins: number
  /** Most categories of a feature that have a bin of their own, the most frequent ones; the others count as missing. */
  readonly maxCategories: number
  /** Added to a category's second derivatives before sorting; rarer categories are not split off [cat_smooth]. */
  readonly categorySmoothing: number
  /** `lambda` of a split by sorted categories is higher by this [cat_l2]. */
  readonly categoryLambda: number
  /** Most categories on the smaller side of a split [max_cat_threshold]. */
  readonly maxCategoriesInSet: number
  /** Fewest rows of the categories that a split adds at a time [min_data_per_group]. */
  readonly minRowsPerCategoryGroup: number
  /** Up to this number of categories, one is split from the rest [max_cat_to_onehot]. */
  readonly maxCategoriesOneAgainstRest: number
  /** Stops when the validation loss has not improved for this many trees, and keeps the best number of trees. */
  readonly earlyStoppingRounds: number
  readonly seed: number
}

/** LightGBM's defaults, except that a category has a bin of its own more often. */
export const defaultForestSettings: ForestSettings = {
  objective: 'binary',
  trees: 100,
  learningRate: 0.1,
  leaves: 31,
  minRowsInLeaf: 20,
  minHessianInLeaf: 1e-3,
  featureFraction: 1,
  lambda: 0,
  maxBins: 255,
  maxCategories: 10_000,
  categorySmoothing: 10,
  categoryLambda: 10,
  maxCategoriesInSet: 32,
  minRowsPerCategoryGroup: 100,
  maxCategoriesOneAgainstRest: 4,
  earlyStoppingRounds: 20,
  seed: 1,
}
