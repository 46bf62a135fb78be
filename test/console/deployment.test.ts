import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { openCluster, type World } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { startDeployment, type Deployment } from './deployment.ts'
import { cardOf, feedOf, feedReflects, openConsole, type ConsolePage } from './page.ts'
import { badEvents, secondModel, storeModel } from './put-in-folder.ts'

const pins = Array.from({ length: 60 }, (_, at) => {
  const picture = at % 3 === 0 ? `https://images.example.org/${at}.jpg` : ''
  return `p${at},Bicycle number ${at},${at % 2 === 0 ? 'bikes' : 'city'},c${at % 5},${picture}`
})
const pinsCsv = ['item_id,title,topics,creator,image_url', ...pins, ''].join('\n')
const actions = Array.from({ length: 120 }, (_, at) => {
  const time = new Date(Date.now() - 60_000 * (at + 10)).toISOString()
  return `u${at % 6},p${(at * 7) % 60},${time},${at % 3 === 0 ? 'save' : 'click'}`
})
const actionsCsv = ['user_id,item_id,timestamp,event', ...actions, 'u1,p1,yesterday,click', ''].join('\n')

const path = findChromium()
const cluster = path === null ? { absent: 'there is no Chromium' } : await openCluster()

if (path === null || 'absent' in cluster) {
  describe.skip(`the console in front of a deployment (skipped: ${'absent' in cluster ? cluster.absent : ''})`, () => {
    it.todo('needs Chromium, Kafka and Redis')
  })
} else {
  describe('the console in front of five processes on Kafka and Redis, with keys and TLS', () => {
    let world: World
    let deployment: Deployment
    let browser: Browser
    let opened: ConsolePage
    let page: Page

    beforeAll(async () => {
      world = await cluster.fresh()
      const artefacts = createLogArtefactStore({ log: world.log, onError: () => undefined })
      await world.log.append('models.v1', [await storeModel(artefacts)])
      ;[deployment, browser] = await Promise.all([startDeployment(world), startChromium(path)])
      opened = await openConsole(browser, { url: deployment.url, path: '/operate/pipeline', userId: 'u1' })
      page = opened.page
    }, 180_000)
    afterAll(async () => {
      await browser?.close()
      await deployment?.stop()
      await world?.close()
      await cluster.stop()
    })

    it('shows every view with the admin key, and does what an operator does there', { timeout: 120_000 }, async () => {
      onTestFailed(() => console.log(deployment.console.logs(), deployment.fleet.logs()))
      const { url } = deployment
      const goTo = async (view: string): Promise<void> => {
        await page.getByRole('link', { name: view, exact: true }).click()
        await page.getByRole('heading', { name: view, level: 1 }).waitFor()
      }

      // The key is asked for where something needs it, and what waited comes when it is there.
      await page.getByRole('alert').getByRole('link', { name: 'Enter it under System.' }).click()
      await page.getByLabel('Key', { exact: true }).fill(deployment.keys.admin)
      await page.getByRole('button', { name: 'Use', exact: true }).click()
      for (const { name } of deployment.fleet.all)
        await page.getByRole('region', { name, exact: true }).getByText('ready', { exact: true }).waitFor()

      await goTo('Import')
      for (const [name, text, rows] of [
        ['pins.csv', pinsCsv, ['60', '60', '0']],
        ['actions.csv', actionsCsv, ['121', '120', '1']],
      ] as const) {
        await page
          .getByLabel('Files to import')
          .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
        const card = page.getByRole('region', { name, exact: true })
        await card.getByRole('button', { name: 'Import', exact: true }).click()
        await card.getByText('imported', { exact: true }).waitFor({ timeout: 60_000 })
        const countOf = (line: string): Promise<string> =>
          card.getByRole('row', { name: line }).getByRole('cell').first().innerText()
        expect(await Promise.all(['Read', 'Accepted', 'Refused'].map(countOf))).toEqual(rows)
      }

      // No view so far has asked for a feed in the name of a user.
      expect((await world.log.ends('feeds-served.v1')).reduce((sum, end) => sum + end, 0)).toBe(0)
      await page.getByRole('link', { name: 'Feed', exact: true }).click()
      const [first = ''] = await feedOf(page)
      await page.getByText('Pictures of https://images.example.org are not shown.').waitFor()
      expect(await page.locator('.feed-degraded').count()).toBe(0)
      const card = cardOf(page, first)
      await card.hover()
      await card.getByRole('button', { name: 'Save', exact: true }).click()
      expect(await feedReflects(page, 'Saved')).toBeGreaterThan(0)
      await card.focus()
      await page.keyboard.press('w')
      await page.getByRole('heading', { name: 'Found by' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Tune' }).click()
      await page.getByRole('slider', { name: 'Exploration' }).focus()
      await page.keyboard.press('End')
      await page.getByText(/pins moved, in|No pin moves/).waitFor()

      await goTo('Pipeline')
      await page.getByRole('heading', { name: /^Mean of \d+ feeds?: home/ }).waitFor()
      await goTo('Sources')
      await page.getByRole('table', { name: /./ }).first().waitFor()
      await goTo('Experiments')
      await page.getByRole('heading', { name: /^No experiment in the newest \d+ feeds/ }).waitFor()

      await page.goto(`${url}/operate/users/u1`)
      await page.getByRole('table', { name: 'Pins of the last feed' }).waitFor()
      await page.getByRole('table', { name: 'Recent actions' }).getByText(first, { exact: true }).first().waitFor()
      await page.goto(`${url}/operate/pins/p3`)
      await page.getByRole('heading', { name: 'Bicycle number 3' }).waitFor()
      await page.getByText('Users, about').waitFor()

      await goTo('Models')
      const model = page.getByRole('region', { name: secondModel, exact: true })
      await model.getByRole('button', { name: 'Promote…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Promote', exact: true }).click()
      await page.getByText(`${secondModel} serves`).waitFor()
      const { ranker } = deployment.fleet
      await eventually(
        'the promoted model to serve',
        async () => ((await ranker.metric(`freshet_ranker_model{model="${secondModel}"`)) === 1 ? true : null),
        20_000,
      )

      for (const [topic, record] of badEvents({ userId: 'mended', pinId: 'p1' }))
        await world.log.append(topic, [record])
      await goTo('System')
      await page.getByRole('button', { name: 'Replay 2 records…' }).click({ timeout: 20_000 })
      const dialog = page.getByRole('dialog', { name: 'Replay dead letters' })
      await dialog.getByText('1 of 2 records can be applied now.', { exact: false }).waitFor()
      await dialog.getByRole('button', { name: 'Replay', exact: true }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.goto(`${url}/operate/users/mended`)
      await page.getByRole('table', { name: 'Recent actions' }).getByText('p1', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Erase…' }).click()
      const erasure = page.getByRole('dialog', { name: 'Erase mended' })
      await erasure.getByLabel('Type mended to confirm').fill('mended')
      await erasure.getByRole('button', { name: 'Erase permanently' }).click()
      await page.getByRole('heading', { name: 'mended was erased' }).waitFor()

      // A service that is gone is named, and the rest stays.
      await ranker.stop()
      await goTo('System')
      await page.getByRole('region', { name: 'ranker', exact: true }).getByText('does not answer').first().waitFor()
      await page.getByRole('link', { name: 'Feed', exact: true }).click()
      expect((await feedOf(page)).length).toBeGreaterThan(0)
      expect(opened.errors).toEqual([])
    })
  })
}
