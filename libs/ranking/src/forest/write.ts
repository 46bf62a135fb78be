import type { ForestModel, ForestTree, TreeStatistics } from './model.ts'

/**
 * Writes a model in LightGBM's text format, version v4: `lightgbm.Booster(model_file=…)` loads it, and `parseForest`
 * reads back the same numbers. Numbers have the fewest digits that give the same double.
 */
export function writeForest(model: ForestModel): string {
  const trees = model.trees.map((tree, number) => `Tree=${number}\n${treeFields(tree).join('\n')}\n\n\n`)
  const header = [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${model.featureNames.length - 1}`,
    ...(model.objective === '' ? [] : [`objective=${model.objective}`]),
    `feature_names=${model.featureNames.join(' ')}`,
    `feature_infos=${model.featureInfos.join(' ')}`,
    `tree_sizes=${trees.map((tree) => Buffer.byteLength(tree)).join(' ')}`,
  ]
  return `${header.join('\n')}\n\n${trees.join('')}end of trees\n\npandas_categorical:null\n`
}

function treeFields(tree: ForestTree): readonly string[] {
  const { statistics } = tree
  const sets = Math.max(0, tree.categoryBounds.length - 1)
  return [
    `num_leaves=${tree.leafValue.length}`,
    `num_cat=${sets}`,
    `split_feature=${words(tree.splitFeature)}`,
    ...statisticsOf(statistics, 'split_gain', ({ splitGain }) => splitGain),
    `threshold=${words(tree.threshold)}`,
    `decision_type=${words(tree.decisionType)}`,
    `left_child=${words(tree.leftChild)}`,
    `right_child=${words(tree.rightChild)}`,
    `leaf_value=${words(tree.leafValue)}`,
    ...statisticsOf(statistics, 'leaf_weight', ({ leafWeight }) => leafWeight),
    ...statisticsOf(statistics, 'leaf_count', ({ leafCount }) => leafCount),
    ...statisticsOf(statistics, 'internal_value', ({ splitValue }) => splitValue),
    ...statisticsOf(statistics, 'internal_weight', ({ splitWeight }) => splitWeight),
    ...statisticsOf(statistics, 'internal_count', ({ splitCount }) => splitCount),
    ...(sets === 0
      ? []
      : [`cat_boundaries=${words(tree.categoryBounds)}`, `cat_threshold=${words(tree.categoryBits)}`]),
    'is_linear=0',
    `shrinkage=${statistics?.shrinkage ?? 1}`,
  ]
}

function statisticsOf(
  statistics: TreeStatistics | undefined,
  key: string,
  of: (statistics: TreeStatistics) => Float64Array | Int32Array,
): readonly string[] {
  return statistics === undefined ? [] : [`${key}=${words(of(statistics))}`]
}

function words(values: Iterable<number>): string {
  return Array.from(values, (value) => String(value).replace('Infinity', 'inf')).join(' ')
}
