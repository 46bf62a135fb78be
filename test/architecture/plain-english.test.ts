import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** A phrase that a reader would have to read twice: words as regular expressions, what to write instead, and an example. */
interface Phrase {
  readonly words: string
  readonly instead: string
  readonly example: string
}

const phrases: readonly Phrase[] = [
  { words: 'anew', instead: 'again, or: from scratch', example: 'begins anew' },
  { words: 'to and fro', instead: 'back and forth', example: 'switched to and fro' },
  { words: 'told of', instead: 'called with, gets, is notified of', example: 'Told of each answer.' },
  { words: 'tells of', instead: 'reports', example: 'and tells of them' },
  { words: '(?:is|are) told', instead: 'gets, is configured with, is notified', example: 'the client is told' },
  { words: 'of (?:whom|which) nothing', instead: 'unknown', example: 'a user of whom nothing is known' },
  {
    words: 'costs? (?:\\w+ ){1,6}nothing',
    instead: 'does not affect',
    example: 'it costs the good events of a batch nothing',
  },
  {
    words: '(?<!\\bthere )is no (?:error|gzip|id|lesson|list|message|number|object|pin|text)',
    instead: 'is not a …, is not an …',
    example: 'what is no number',
  },
  { words: 'stands? beside', instead: 'is next to', example: 'unit tests stand beside the files' },
  { words: 'let(?:s|ting)? go of', instead: 'deletes, releases', example: 'the log lets go of it' },
  {
    words: 'whence|whereof|thereof|whereupon|thereupon',
    instead: 'from which, of it, then',
    example: 'whereupon it ends',
  },
]

/** Between two words of a phrase: spaces, or a line's end with the mark of a comment's next line. */
const gap = String.raw`(?:\s+(?:(?:\*|//|#)\s+)?)`

function patternOf({ words }: Phrase): RegExp {
  return new RegExp(String.raw`\b(?:${words.replaceAll(/(?<!there) /g, gap)})\b`, 'gi')
}

/** Where the phrases occur in a text: line from 1, the phrase found, and what to write instead. */
function findPhrases(text: string): string[] {
  return phrases.flatMap((phrase) =>
    [...text.matchAll(patternOf(phrase))].map(({ 0: found, index }) => {
      const line = text.slice(0, index).split('\n').length
      return `${line}: "${found.replaceAll(/\s+(?:\*|\/\/|#)?\s*/g, ' ')}": write ${phrase.instead}`
    }),
  )
}

/** The texts that we write: what is generated from them and this list are left out. */
function texts(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--', '*.ts', '*.md', '*.proto'], { cwd: root, encoding: 'utf8' })
  const isGenerated = (file: string): boolean => file.includes('/gen/')
  return listed
    .split('\n')
    .filter((file) => file !== '' && !isGenerated(file) && !import.meta.filename.endsWith(file))
    .filter((file) => existsSync(join(root, file)))
}

describe('texts in plain English', () => {
  it('are read', () => {
    expect(texts().length).toBeGreaterThan(500)
  })

  it('hold none of the phrases that a reader has to read twice', () => {
    const found = texts().flatMap((file) =>
      findPhrases(readFileSync(join(root, file), 'utf8')).map((place) => `${file}:${place}`),
    )
    expect(found).toEqual([])
  })

  it.each(phrases)('are searched for "$words"', ({ example, instead }) => {
    expect(findPhrases(`a line\n${example}\n`)).toEqual([expect.stringContaining(instead) as string])
    expect(findPhrases(`/** a line\n * ${example.replaceAll(' ', '\n * ')} */`)).toHaveLength(1)
    expect(findPhrases(instead)).toEqual([])
  })

  it('may say that there is no such thing', () => {
    expect(findPhrases('there is no number, and there is no pin')).toEqual([])
  })
})
