/** Settings of a blender that leaves the order of utility as it is, so that only retrieval and ranking are judged: the ordering steps choose from one pin. */
export const unordered = { ordering: { pool: 1 } } as const
