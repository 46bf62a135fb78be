/** What a source does, as the end of "It was found by …". */
const sources: Readonly<Record<string, string>> = {
  'session-neighbours': 'people whose visits look like yours now',
  'co-occurrence': 'what people act on together with the pins you acted on',
  'board-co-occurrence': 'what people keep on boards together with the pins you saved',
  'pixie-walk': 'a walk from your pins over boards to their neighbours',
  'long-term-walk': 'a walk from all that you ever acted on',
  pin2vec: 'a search for pins like those you acted on, by learned vectors',
  'visual-neighbours': 'a search for pictures that look like those you acted on',
  'saved-boards': 'what others save to boards like yours',
  'fresh-followed': 'a look at what is new from those you follow',
  trending: 'what gains interest right now',
  popularity: 'what many people like',
  revisit: 'a list of pins that you came back to',
}

/** What a source does, in words. */
export function sourceInWords(source: string): string {
  return sources[source] ?? `the source ${source}`
}

const subjects: Readonly<Record<string, string>> = {
  topic: 'this topic',
  creator: 'this creator',
  board: 'boards with this pin',
  pin: 'this pin',
  user: 'you',
}

const wholes: Readonly<Record<string, string>> = {
  topic_affinity: 'how much you like this topic',
  creator_affinity: 'how much you like this creator',
  board_affinity: 'how much you like boards with this pin',
  topic_recency: 'how recently you acted on this topic',
  creator_recency: 'how recently you acted on this creator',
  topic_uncertainty: 'how little is known of you and this topic',
  topic_save_uncertainty: 'how little is known of your saves in this topic',
  follows_topic: 'you follow this topic',
  follows_creator: 'you follow this creator',
  pin_age: 'the age of the pin',
  pin_users: 'how many people acted on the pin',
  pin_boards: 'how many boards have the pin',
  pin_memboost: 'how well the pin does at the moment',
  pin_silence: 'how long nobody acted on the pin',
  pin_acted_count: 'how often you acted on this pin',
  pin_acted_recency: 'how recently you acted on this pin',
  pin_acted_order: 'when you acted on this pin',
  seen_before: 'whether you saw this pin before',
  seen_recency: 'how recently you saw this pin',
  source_count: 'how many sources found it',
  retrieval_rank: 'its place among all that was found',
  retrieval_score: 'its score among all that was found',
  user_age: 'how long you have been here',
  user_silence: 'how long you were away',
  user_sessions: 'how often you were here',
  session_length: 'how long this visit is',
  hour_sin: 'the hour of the day',
  hour_cos: 'the hour of the day',
}

const verbs = 'impression|impressions|closeup|click|save|hide|dismiss|report|unsave'
const rate = new RegExp(
  `^(user_)?(topic|creator|board|pin|user)?_?(overall_|smoothed_)?(${verbs})(_rate)?(_recent|_\\w+)?$`,
)

/** A feature's name in words. */
export function featureInWords(name: string): string {
  const whole = wholes[name]
  if (whole !== undefined) return whole
  const [prefix, source] = name.split('.')
  if (source !== undefined) {
    if (prefix === 'source_rank') return `its rank in ${source}`
    if (prefix === 'source_score') return `its score in ${source}`
  }
  const found = rate.exec(name)
  if (!found) return name.replaceAll('_', ' ')
  const [, isMine, subject = 'user', , verb = '', isRate, when] = found
  const recent = when === '_recent' ? ' lately' : ''
  const what = isRate || !verb.endsWith('s') ? `the rate of ${verb}s` : verb
  if (subject === 'user') return `${what}${isRate || verb.endsWith('s') ? '' : ' (count)'} of yours${recent}`
  const whose = isMine || subject === 'topic' || subject === 'creator' ? 'your' : 'the'
  const name2 = subjects[subject] ?? subject
  return found[3] === 'overall_' || subject === 'pin'
    ? `everybody's ${what.replace('the ', '')} on ${name2}${recent}`
    : `${whose} ${what.replace('the ', '')} on ${name2}${recent}`
}

/** What a head predicts, as the end of "you will …". */
const heads: Readonly<Record<string, string>> = {
  ...{ closeup: 'open it', click: 'click it', save: 'save it', hide: 'hide it', dismiss: 'not want it' },
  ...{ report: 'report it', dwell: 'look at it', share: 'share it' },
}

/** A head in words. */
export function headInWords(head: string): string {
  return heads[head] ?? head
}

/** What moved a pin or removed it, in words: names of stages of the ordering. */
const stages: Readonly<Record<string, string>> = {
  diversity: 'the page should not look all the same',
  spacing: 'similar pins keep a distance',
  caps: 'no creator or topic takes too much of a page',
  mixing: 'every kind of source has its share',
  'fresh-floor': 'new pins get a place to be seen',
  fatigue: 'what was shown often and left alone goes down',
  draw: 'a share of pages is drawn at random, to learn',
  'by-utility': 'the best come first',
  explore: 'a try of something that is not known yet',
  'same-picture': 'the same picture comes once',
  'shown-before-last': 'it was shown before',
  'previously-served': 'it was served before',
  'already-saved': 'you have it already',
  seen: 'you saw it',
  hidden: 'you hid it, its creator or its topic',
  'muted-word': 'it has a word that you muted',
  availability: 'it is not available',
  catalogue: 'it is not in the catalogue',
  page: 'the page was full',
}

/** A stage in words; null: it has only its name. */
export function stageInWords(stage: string): string | null {
  return stages[stage.split('/')[0]!] ?? null
}
