/** What options of the command are called on the page, in the order in which they are replaced. */
const controls: readonly (readonly [option: RegExp, words: string])[] = [
  [/[Gg]ive --map COLUMN=(\w+)/g, 'choose the column to read as $1'],
  [/ ?[Gg]ive --map '?([^\s'=]+)=(userId|pinId|occurredAt|title)'?/g, ' Read the column “$1” as $2'],
  [/--as engagements changes this/g, '“Rows are” changes this'],
  [/--as engagements/g, 'choose “Rows are: engagements”'],
  [/[Gg]ive --time-unit s, ms, us or iso/g, 'choose “Times are”'],
  [/--time-unit changes this/g, '“Times are” changes this'],
  [/--occurred-at TIME for all rows/g, 'a “Time of rows without one”'],
  [/--delimiter/g, 'a “Delimiter”'],
  [/--columns( NAME)?/g, '“Names of columns”'],
  [/--encoding latin1/g, '“Text is: Latin-1”'],
  [/--quote none/g, '“Quotes: none”'],
  [/[Gg]ive rules with --map/g, 'give “Rules for actions”'],
  [/--map '([^']+)'/g, 'the rule $1'],
  [/--map (\S+)/g, 'the rule $1'],
]

/** A message of the import, with the controls of the page instead of the options of the command. */
export function forPage(message: string): string {
  return controls.reduce((text, [option, words]) => text.replaceAll(option, words), message)
}
