import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * The Chromium that the tests use: FRESHET_CHROMIUM, else the first of the usual names on the PATH; null: there is none, which
 * is an error with FRESHET_EXPECT_CHROMIUM=1.
 */
export function findChromium(): string | null {
  const named = process.env['FRESHET_CHROMIUM']
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const all = named === undefined ? names.flatMap((name) => folders.map((folder) => join(folder, name))) : [named]
  const found = all.find((path) => existsSync(path)) ?? null
  if (found === null && process.env['FRESHET_EXPECT_CHROMIUM'] === '1')
    throw new Error(`no Chromium: looked for ${named ?? names.join(', ')}; install Debian's chromium`)
  return found
}

/** Starts it; playwright turns the back/forward cache off unless it is wanted. */
export function startChromium(
  executablePath: string,
  { backForwardCache = false }: { readonly backForwardCache?: boolean } = {},
): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', ...quiet]
  const ignoreDefaultArgs = backForwardCache ? ['--disable-back-forward-cache'] : []
  return chromium.launch({ executablePath, headless: true, args, ignoreDefaultArgs })
}
