const rungs: Readonly<Record<string, string>> = {
  PARTIAL: 'Made without a part of the pipeline',
  RETRIEVAL_ORDER: 'Not ranked: the ranker does not answer',
  LAST_GOOD: 'Your last good feed: the services do not answer',
  POPULAR: 'Popular pins: the services do not answer',
}

/** Reasons that say more than the rung. Others appear by their code. */
const known: Readonly<Record<string, string>> = {
  FEED_LOCALE_UNKNOWN: 'no pin is in this language',
  FEED_UNKNOWN_USER: 'what the user hid or blocked is not known',
  FEED_CONTENDED: 'many requests of this user ran at the same time',
  FEED_MODEL_NOT_HELD: 'an experiment asks for a model that the ranker does not have',
  FEED_HEAD_FACTORS_REFUSED: 'an experiment names a head that the model does not have',
  CALL_DEADLINE_EXCEEDED: 'a service or a source did not answer in time',
  CALL_UNAVAILABLE: 'a service does not answer',
}

/** What the page says about a degraded feed; null: the feed is a full one. `reasons`: the codes that came with it. */
export function degradationInWords(degradation: string, reasons: readonly string[]): string | null {
  if (degradation === '' || degradation === 'NONE' || degradation === 'EXHAUSTED') return null
  const rung = rungs[degradation] ?? rungs['PARTIAL']!
  const told = reasons.filter((reason) => !isOfExhausted(reason)).map((reason) => known[reason] ?? reason)
  if (degradation !== 'PARTIAL' || told.length === 0) return rung
  return `${rung}: ${[...new Set(told)].join('; ')}`
}

/** What the page says elsewhere: that there are no pins, or none that the person has not seen. */
function isOfExhausted(reason: string): boolean {
  return reason === 'FEED_ALL_SEEN' || reason === 'FEED_NOTHING_ELIGIBLE'
}
