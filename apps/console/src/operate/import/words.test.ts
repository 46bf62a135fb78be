import { describe, expect, it } from 'vitest'
import { forPage } from './words.ts'

describe('messages of the import on the page', () => {
  it.each([
    [
      'no column is the pin (item); is it "article"? Give --map article=pinId (columns: visitor, article; the file is read as pins because no column is the user; --as engagements changes this)',
      'no column is the pin (item); is it "article"? Read the column “article” as pinId (columns: visitor, article; the file is read as pins because no column is the user; “Rows are” changes this)',
    ],
    [
      'no column is the time; give --map COLUMN=occurredAt, or --occurred-at TIME for all rows (columns: a)',
      'no column is the time; choose the column to read as occurredAt, or a “Time of rows without one” (columns: a)',
    ],
    [
      'the column when contains "x", whose unit is unclear; give --time-unit s, ms, us or iso (write dates)',
      'the column when contains "x", whose unit is unclear; choose “Times are” (write dates)',
    ],
    [
      'kind is "dance", which is not an action; give --map \'kind=dance:click\' (or another action)',
      'kind is "dance", which is not an action; give the rule kind=dance:click (or another action)',
    ],
  ])('name its controls: %s', (message, expected) => {
    expect(forPage(message)).toBe(expected)
    expect(forPage(message)).not.toContain('--')
  })
})
