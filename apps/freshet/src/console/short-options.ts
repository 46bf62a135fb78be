/** Short forms of settings. `--operations` may come more than once. */
const short: Readonly<Record<string, string>> = {
  '--feeds': '--upstreams.feeds',
  '--events': '--upstreams.events',
  '--admin': '--upstreams.admin',
  '--operations': '--upstreams.operations',
}

/** The arguments of `freshet console` as settings: `--feeds URL` means `--upstreams.feeds URL`. */
export function consoleArguments(argv: readonly string[]): readonly string[] {
  const settings: string[] = []
  const operations: string[] = []
  const given = argv.flatMap((argument) => {
    const [, option, value] = /^(--[a-z]+)=(.*)$/s.exec(argument) ?? []
    return option !== undefined && value !== undefined && option in short ? [option, value] : [argument]
  })
  for (let at = 0; at < given.length; at++) {
    const argument = given[at]!
    if (argument === '--operations' && given[at + 1] !== undefined) operations.push(given[++at]!)
    else settings.push(short[argument] ?? argument)
  }
  return operations.length === 0 ? settings : [...settings, '--upstreams.operations', operations.join(',')]
}
