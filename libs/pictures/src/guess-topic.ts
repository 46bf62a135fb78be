import type { Concept } from './emoji.ts'

/** Finds the topic of a picture from the words of its name; null: they say nothing that emoji are about. */
export type TopicGuess = (words: readonly string[]) => string | null

/**
 * Learns from the names and tags of emoji which words belong to which topic. A word votes for the topics that use it, by their share of its
 * uses; a name counts three times as much as a tag, and the last word of a name, which is its head in English, twice as much as the others.
 */
export function createTopicGuess(concepts: readonly Concept[]): TopicGuess {
  const votes = new Map<string, Map<string, number>>()
  const vote = (word: string, topic: string, weight: number): void => {
    const ofWord = votes.get(word) ?? new Map<string, number>()
    votes.set(word, ofWord)
    ofWord.set(topic, (ofWord.get(topic) ?? 0) + weight)
  }
  for (const { label, tags, topic } of concepts) {
    const words = wordsOf(label)
    words.forEach((word) => vote(singular(word), topic, 3 / Math.sqrt(words.length)))
    for (const tag of tags) if (!tag.includes(' ')) vote(singular(tag.toLowerCase()), topic, 1)
  }
  for (const [topic, words] of Object.entries(moreWords)) for (const word of words.split(' ')) vote(word, topic, 12)
  return (words) => {
    const scores = new Map<string, number>()
    words.forEach((word, at) => {
      const ofWord = votes.get(singular(word))
      if (ofWord === undefined || minorWords.has(word)) return
      const all = [...ofWord.values()].reduce((sum, value) => sum + value, 0)
      const weight = (at === words.length - 1 ? 2 : 1) / (all + 1)
      for (const [topic, value] of ofWord) scores.set(topic, (scores.get(topic) ?? 0) + value * weight)
    })
    let best: readonly [topic: string | null, score: number] = [null, leastScore]
    for (const entry of scores) if (entry[1] > best[1]) best = entry
    return best[0]
  }
}

/** Below this a name says too little. */
const leastScore = 0.3

/** Words of games that emoji do not have. */
const moreWords: Readonly<Record<string, string>> = {
  tool: 'sword axe dagger blade spear bow saber halberd mace hammer katana arrow shuriken gun pistol rifle bomb grenade cannon bullet shot shotgun trident knife machete whip flail scythe saw drill anvil crowbar wrench shovel rake spade hatchet sai crossbow quiver arrowhead trap target gear cog hook chain rope nail screw bolt brick plank',
  clothing:
    'armor helm helmet shield gauntlet boot breastplate cape cloak hood belt visor vest robe shirt pants skirt glove mask bracer',
  'face-costume': 'skull demon devil imp monster ghost alien robot golem troll orc goblin ogre',
  'person-fantasy':
    'wizard witch vampire werewolf zombie skeleton mummy ninja pirate knight king queen warrior monk cleric rogue barbarian minotaur cyclops centaur',
  'animal-bug': 'tentacle insect larva centipede',
  'animal-reptile': 'dragon hydra wyvern dinosaur raptor',
  game: 'dice card tarot chess meeple domino checker poker ace joker pawn rook',
  'sky-weather':
    'lightning thunder storm flame fire burning ice frozen snow rain sun moon star comet meteor planet tornado',
  'body-parts':
    'brain eye hand fist heart bone tooth claw paw horn wing tail lung stomach kidney liver blood skeletal organ',
  'plant-other': 'tree leaf root vine branch forest mushroom log acorn pine oak',
  'place-building':
    'tower castle temple gate house wall bridge tomb church fort village hut pyramid dungeon prison door',
  household: 'bucket candle lantern lamp basket barrel jar box chest bottle pot vase cauldron table chair bed pillow',
  medical: 'potion pill syringe wound poison bandage vial flask',
  'transport-water': 'ship boat galleon anchor submarine raft',
  'arts-crafts': 'crystal gem diamond orb rune amulet necklace ring jewel emerald ruby',
  money: 'coin gold treasure cash',
  science: 'laser energy atom radar battery circuit reactor magnet microscope dna molecule',
  'person-sport': 'running jump punch kick climbing boxing fencer',
  event: 'crown trophy medal',
}

/** Words that name a form, a number or a state, not a thing. */
const minorWords = new Set(
  'the of in and a on up down left right over with big small round flat double triple two three four six half broken cracked open closed empty full black white red dark light heavy sharp flying falling pointed spiked evil high low dead old new'.split(
    ' ',
  ),
)

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? []
}

function singular(word: string): string {
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}
