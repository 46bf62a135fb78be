import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong in a page: the rule, and where it is broken. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  // By the debugger, because the page's content-security policy allows no other script.
  await page.evaluate(source)
  return page.evaluate<string[]>(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) =>
      nodes.slice(0, 3).map(({ html, any }) => id + ': ' + help + ' in ' + html.slice(0, 160) + ' ' + (any[0]?.message ?? ''))))`)
}
