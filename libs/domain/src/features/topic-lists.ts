/** The different lists of topics among the pins of a page. */
export interface TopicLists {
  readonly lists: readonly (readonly string[])[]
  /** For each pin the index of its list; a pin without an entry in the catalogue has an empty one. */
  readonly of: Int32Array
}

const none: readonly string[] = []
// Several groups of features read the lists of the same page.
const listsOfPage = new WeakMap<object, TopicLists>()

/** Groups the pins of a page by their list, so that what depends on topics alone is computed once per list. Equal lists that are different arrays count as two. */
export function topicListsOf(pinMetas: readonly ({ readonly topics: readonly string[] } | null)[]): TopicLists {
  const known = listsOfPage.get(pinMetas)
  if (known !== undefined) return known
  const indices = new Map<readonly string[], number>()
  const of = new Int32Array(pinMetas.length)
  for (let row = 0; row < of.length; row++) {
    const topics = pinMetas[row]?.topics ?? none
    let index = indices.get(topics)
    if (index === undefined) {
      index = indices.size
      indices.set(topics, index)
    }
    of[row] = index
  }
  const found = { lists: [...indices.keys()], of }
  listsOfPage.set(pinMetas, found)
  return found
}
