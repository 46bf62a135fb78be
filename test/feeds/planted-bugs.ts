import type { PlantedBug } from '../simulation/planted-bugs.ts'

/** A bug with the name of the rule that it breaks. */
export interface FeedBug extends PlantedBug {
  readonly rule: string
}

const filters = 'blender/src/filters'
const selectors = 'blender/src/selectors'
const descriptions = 'retrieval/src/views/descriptions.ts'
/** What the blender tells the candidate service: it leaves out the same pins, so a bug has to be in both. */
const excludesNothing = {
  file: 'blender/src/sources/retrieve.ts',
  find: 'excludePinIds: excludedPins(request),',
  replace: 'excludePinIds: [],',
}

/** Bugs that show people what they must not see. The checker has to find each by the name of its rule. */
export const plantedBugs: readonly FeedBug[] = [
  {
    name: 'expiry-off-by-one',
    rule: 'expired',
    means: 'a pin is shown in the second in which it expires',
    edits: [
      {
        file: descriptions,
        find: '(expiresAt[row] ?? endOfTime) > atSeconds',
        replace: '(expiresAt[row] ?? endOfTime) >= atSeconds',
      },
      { file: `${filters}/availability.ts`, find: 'expiresAt <= atSeconds', replace: 'expiresAt < atSeconds' },
    ],
  },
  {
    name: 'available-an-hour-early',
    rule: 'not yet available',
    means: 'a pin is shown an hour before it may be',
    edits: [
      {
        file: descriptions,
        find: 'orZero(availableFrom[row]) <= atSeconds',
        replace: 'orZero(availableFrom[row]) <= atSeconds + 3600',
      },
      { file: `${filters}/availability.ts`, find: '> atSeconds) return 0', replace: '> atSeconds + 3600) return 0' },
    ],
  },
  {
    name: 'labels-not-checked',
    rule: 'safety label',
    means: 'one allowed label allows all labels',
    edits: [
      {
        file: `${filters}/safety-label.ts`,
        find: 'const refused = ~facts.labelBitsOf(filter.allowedSafetyLabels)',
        replace: 'const refused = filter.allowedSafetyLabels.length > 0 ? 0 : ~facts.labelBitsOf([])',
      },
    ],
  },
  {
    name: 'age-not-known',
    rule: 'minimum age',
    means: 'a user whose age is not known counts as grown up',
    edits: [{ file: `${filters}/min-age.ts`, find: 'userAge ?? 0', replace: 'userAge ?? 99' }],
  },
  {
    name: 'locale-falls-back-too-far',
    rule: 'other locale',
    means: 'pins of the language in other regions are shown though there are some of the own region',
    edits: [
      {
        file: 'domain/src/locale.ts',
        find: '|| !ofScript.some(isOfRegion)) return',
        replace: '|| ofScript.some(isOfRegion)) return',
      },
    ],
  },
  {
    name: 'few-pins-of-a-locale',
    rule: 'other locale',
    means: 'a reader whose language has no pins gets those of other languages',
    edits: [
      {
        file: 'domain/src/locale.ts',
        find: 'if (ofScript.length === 0) return new Set(ofLanguage)',
        replace: 'if (ofScript.length === 0) return new Set(offered)',
      },
    ],
  },
  {
    name: 'hides-not-checked',
    rule: 'hidden',
    means: 'reported pins are left out, hidden ones are not',
    edits: [
      excludesNothing,
      { file: `${filters}/hidden.ts`, find: 'hidden.has(pinIds[row] as string) ? 0 :', replace: '' },
    ],
  },
  {
    name: 'blocks-forgotten',
    rule: 'blocked creator',
    means: 'pins of blocked creators are shown',
    edits: [
      { file: 'blender/src/sources/retrieve.ts', find: 'blocks: user.blocks,', replace: 'blocks: undefined,' },
      {
        file: `${filters}/catalogue.ts`,
        find: 'if (blockedCreators.size > 0 && blockedCreators.has(facts.creatorOf(fact))) return 3',
        replace: '',
      },
    ],
  },
  {
    name: 'topic-blocks-forgotten',
    rule: 'blocked topic',
    means: 'a topic that the user hid comes again',
    edits: [
      { file: 'blender/src/sources/retrieve.ts', find: 'blocks: user.blocks,', replace: 'blocks: undefined,' },
      {
        file: `${filters}/catalogue.ts`,
        find: 'if (blockedTopics.size > 0 && facts.hasTopicOf(fact, blockedTopics)) return 4',
        replace: '',
      },
    ],
  },
  {
    name: 'words-not-checked',
    rule: 'blocked word',
    means: 'pins with a blocked word are shown',
    edits: [
      { file: `${filters}/muted-word.ts`, find: 'facts.hasWordOf(fact, blockedWords) ? 0 : keep', replace: 'keep' },
    ],
  },
  {
    name: 'own-pins-shown',
    rule: 'own pin',
    means: 'a user gets the own pins',
    edits: [
      {
        file: `${filters}/own-pin.ts`,
        find: 'facts.creatorOf(fact) === user ? 0 : keep',
        replace: 'fact === user ? 0 : keep',
      },
    ],
  },
  {
    name: 'exclude-ignored',
    rule: 'excluded',
    means: 'pins that the request excludes are shown',
    edits: [
      excludesNothing,
      { file: `${filters}/requested.ts`, find: 'if (exclude.has(pinId)) return 0', replace: '' },
    ],
  },
  {
    name: 'page-repeated',
    rule: 'repeated across pages',
    means: 'the next page shows pins of the page before',
    edits: [
      {
        file: `${filters}/previously-served.ts`,
        find: 'if (atSeconds === 0) return keep',
        replace: 'if (atSeconds >= 0) return keep',
      },
      { file: `${selectors}/choose-rows.ts`, find: 'if (taken(row)) left', replace: 'if (false) left' },
    ],
  },
  {
    name: 'picture-twice',
    rule: 'same picture',
    means: 'two pins with the same picture are on one page',
    edits: [
      { file: `${selectors}/same-picture.ts`, find: 'if (taken.has(signature)) left', replace: 'if (false) left' },
    ],
  },
  {
    name: 'cap-ignored',
    rule: 'cap of creators',
    means: 'a page may be full of one creator',
    edits: [{ file: `${selectors}/caps.ts`, find: 'if (capped.length === 0)', replace: 'if (capped.length >= 0)' }],
  },
  {
    name: 'page-before-forgotten',
    rule: 'cap across pages',
    means: 'caps of a next page do not count the pins of the page before',
    edits: [
      {
        file: 'blender/src/ordering/rules.ts',
        find: 'for (const pin of above) rule.place(pin)',
        replace: 'for (const pin of above) void pin',
      },
    ],
  },
  {
    name: 'boards-not-checked',
    rule: 'not on the board',
    means: 'a feed of a board shows pins of no board',
    edits: [
      {
        file: 'retrieval/src/query/row-filter.ts',
        find: 'filter.boards.length === 0 ? null',
        replace: 'filter.boards.length >= 0 ? null',
      },
    ],
  },
  {
    name: 'next-pages-not-mixed',
    rule: 'shares of sources',
    means: 'next pages from the reserve do not know the sources of pins',
    edits: [
      {
        file: 'blender/src/sessions/from-reserve.ts',
        find: 'foundBySource: sourcesOf(sourceNames, found)',
        replace: 'foundBySource: []',
      },
    ],
  },
  {
    name: 'seen-again-not-marked',
    rule: 'seen, not marked',
    means: 'pins that come again are not marked',
    edits: [
      { file: 'blender/src/answer.ts', find: 'seenAgain: columns.shownBefore[row] === 1', replace: 'seenAgain: false' },
    ],
  },
  {
    name: 'saved-shown-again',
    rule: 'already saved',
    means: 'pins that the user saved come again',
    edits: [
      excludesNothing,
      {
        file: `${filters}/already-saved.ts`,
        find: 'mayContain(bits, pinHashes[row]!) && saved.has(pinIds[row]!) ? 0 : keep',
        replace: 'keep',
      },
    ],
  },
]
