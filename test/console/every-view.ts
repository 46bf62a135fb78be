import type { Page } from 'playwright-core'
import { feedOf } from './page.ts'

/** A view of the console, and what has to happen until it shows what it is for. */
export interface View {
  readonly name: string
  readonly path: string
  readonly prepare: (page: Page) => Promise<unknown>
}

const operatorView = (name: string, title: string, settled: (page: Page) => Promise<unknown>, path = name): View => ({
  ...{ name, path: `/operate/${path}` },
  async prepare(page) {
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
    await settled(page)
    await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'hidden' })
  },
})
const nothing = (): Promise<void> => Promise.resolve()

/** Every view of the console, its panels too. */
export const everyView: readonly View[] = [
  { name: 'feed', path: '/', prepare: (page) => feedOf(page) },
  {
    name: 'why',
    path: '/',
    async prepare(page) {
      await feedOf(page)
      const card = page.getByRole('article').first()
      await card.focus()
      await page.keyboard.press('w')
      await page.getByRole('heading', { name: 'Found by' }).waitFor()
    },
  },
  {
    name: 'tune',
    path: '/',
    async prepare(page) {
      await feedOf(page)
      await page.getByRole('button', { name: 'Tune' }).click()
      await page.getByRole('slider', { name: 'Exploration' }).focus()
      await page.keyboard.press('End')
      await page.getByText(/pins moved, in/).waitFor()
    },
  },
  {
    name: 'closeup',
    path: '/',
    async prepare(page) {
      await feedOf(page)
      await page.getByRole('article').first().focus()
      await page.keyboard.press('Enter')
      await feedOf(page, 'Related pins')
    },
  },
  {
    name: 'crop',
    path: '/',
    async prepare(page) {
      await feedOf(page)
      await page.getByRole('article').first().focus()
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Search a part' }).click()
      await page.keyboard.press('Enter')
      await feedOf(page, 'Similar pins')
    },
  },
  { name: 'search', path: '/search?q=cat', prepare: (page) => feedOf(page, 'Results for cat') },
  {
    name: 'person',
    path: '/',
    async prepare(page) {
      await feedOf(page)
      await page.getByRole('button', { name: /switch user/ }).click()
      await page.getByRole('dialog', { name: 'Who looks' }).waitFor()
    },
  },
  {
    name: 'unknown-path',
    path: '/nowhere/at-all',
    prepare: (page) => page.getByRole('heading', { name: 'Nothing is here' }).waitFor(),
  },
  {
    name: 'unknown-pin',
    path: '/pin/nobody-has-this',
    prepare: (page) => page.getByRole('heading', { name: 'There is no such pin' }).waitFor(),
  },
  operatorView('pipeline', 'Pipeline', nothing),
  operatorView('sources', 'Sources', nothing),
  operatorView('models', 'Models', nothing),
  operatorView('experiments', 'Experiments', nothing),
  operatorView('users', 'Users', nothing),
  operatorView('user', 'Users', nothing, 'users/ada'),
  operatorView('pin', 'Pins', nothing, 'pins/noto-cat-face'),
  operatorView('import', 'Import', (page) => page.getByText('Drop a file here').waitFor()),
  operatorView('system', 'System', nothing),
]
