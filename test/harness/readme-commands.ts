/** The blocks of one language in a page, in order. */
export function blocksOf(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!)
}

/** Every command of a page that begins with `begins`: lines of its shell blocks and inline code. Comments and what follows a pipe or `;` are cut off. */
export function commandsOf(page: string, begins: string): readonly string[] {
  const lines = blocksOf(page, 'sh').flatMap((block) => block.split('\n'))
  const inline = [...page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)
  return [...lines, ...inline]
    .flatMap((line) => line.replaceAll('\\|', '|').split(/ && |; /))
    .map((command) => command.replace(/\s+#.*$/, '').trim())
    .filter((command) => command.startsWith(begins))
}

/** The words of a command, quotes taken off. */
export function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, bare]) => one ?? two ?? bare!)
}
