import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { apiFeed, ask, progressOf } from './api.ts'
import { cardOf, drawnPins, feedOf } from './page.ts'
import { putBadEvents, putModel, secondModel } from './put-in-folder.ts'
import { describeConsole } from './suite.ts'

const scratch = mkdtempSync(join(tmpdir(), 'freshet-console-experiments-'))
const experiments = join(scratch, 'experiments.json')
writeFileSync(
  experiments,
  JSON.stringify({
    layers: [
      {
        name: 'retrieval',
        salt: 'journeys',
        experiments: [
          {
            name: 'no-popularity',
            control: 'as-is',
            arms: [
              { name: 'as-is', share: 0.5 },
              { name: 'without', share: 0.5, withoutSources: ['popularity'] },
            ],
          },
        ],
      },
    ],
  }),
)
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

describeConsole(
  'what an operator changes in the console',
  ({ server, open }) => {
    const operations = (path: string): Promise<unknown> => ask(`${server().url}/api/operations/freshet${path}`)

    it('erases a user after the id is typed, and the user’s feed forgets what the user did', async () => {
      const { url } = server()
      // Somebody with a past, from which the feed starts.
      const before = await apiFeed(url, { userId: 'kofi', pageSize: 25, explain: true })
      expect(before.seeds.length).toBeGreaterThan(0)
      const { page } = await open({ path: '/operate/users/kofi' })
      await page.getByRole('button', { name: 'Erase…' }).click()
      const dialog = page.getByRole('dialog', { name: 'Erase kofi' })
      const confirm = dialog.getByRole('button', { name: 'Erase permanently' })
      await dialog.getByLabel('Type kofi to confirm').fill('noo')
      expect(await confirm.isDisabled()).toBe(true)
      await dialog.getByLabel('Type kofi to confirm').fill('kofi')
      await confirm.click()
      await page.getByRole('heading', { name: 'kofi was erased' }).waitFor()
      await expect(operations('/v1/users/kofi/state')).rejects.toThrow('USER_ERASED')
      await expect(operations('/v1/users/kofi/feeds/last')).rejects.toThrow(/USER_ERASED|FEED_MISSING/)
      // Nothing is left to start from, and the feed still comes.
      const after = await apiFeed(url, { userId: 'kofi', pageSize: 25, explain: true })
      expect([after.items.length, after.seeds]).toEqual([25, []])
      await page.evaluate(`localStorage.setItem('freshet.user', 'kofi')`)
      await page.goto(url)
      expect((await feedOf(page)).length).toBeGreaterThan(10)
    })

    it('deletes a pin, which then leaves a feed that is open in another tab', async () => {
      const { url } = server()
      const { page: home, tab } = await open({ userId: 'mateo' })
      const pins = await feedOf(home)
      // A pin that is below the screen: it comes again with the next page, unless it is deleted.
      const pin = pins.at(-1)!
      const other = await tab(`/operate/pins/${encodeURIComponent(pin)}`)
      await other.getByRole('button', { name: 'Delete…' }).click()
      await other.getByRole('button', { name: 'Delete from the catalogue' }).click()
      await other.getByText(/was deleted: feeds never show it/).waitFor()
      const { pins: found, missing } = (await ask(`${url}/api/feeds/v1/pins`, { pinIds: [pin] })) as {
        pins: object[]
        missing: { pinId: string }[]
      }
      expect([found, missing.map(({ pinId }) => pinId)]).toEqual([[], [pin]])
      expect((await apiFeed(url, { userId: 'mateo', pageSize: 100 })).items.map(({ pinId }) => pinId)).not.toContain(
        pin,
      )
      await home.bringToFront()
      const card = cardOf(home, pins[0]!)
      await card.hover()
      await card.getByRole('button', { name: 'Save', exact: true }).click()
      await eventually(
        'the pin to leave the open feed',
        async () => ((await drawnPins(home)).includes(pin) ? null : true),
        10_000,
      )
      for (let screen = 0; screen < 3; screen++) {
        await home.mouse.wheel(0, 900)
        expect(await feedOf(home)).not.toContain(pin)
      }
    })

    it('shows a running experiment: its arms, and the users of each, who get what their arm says', async () => {
      const { url } = server()
      const armOf = new Map<string, string>()
      for (let at = 0; at < 12; at++) {
        const userId = `tried-${at}`
        const { feedId, items } = await apiFeed(url, { userId })
        const explained = (await ask(`${url}/api/feeds/v1/explain`, { feedId })) as {
          experiments: { experiment: string; arm: string }[]
        }
        const { arm } = explained.experiments.find(({ experiment }) => experiment === 'no-popularity')!
        armOf.set(userId, arm)
        if (arm === 'without') expect(items.flatMap(({ sources }) => sources)).not.toContain('popularity')
      }
      expect(new Set(armOf.values())).toEqual(new Set(['as-is', 'without']))
      const { page } = await open({ path: '/operate/experiments' })
      const arms = page.getByRole('table', { name: 'Arms of the layer retrieval' })
      await arms.getByRole('row', { name: /without.*50 %.*without popularity/ }).waitFor()
      await arms.getByRole('row', { name: /as-is control.*50 %.*none/ }).waitFor()
      const users = await eventually(
        'both arms in the report',
        async () => {
          const { report } = (await ask(`${url}/api/console/operate/experiments`)) as {
            report: { experiments: { arms: { arm: string; users: number }[] }[] }
          }
          const [experiment] = report.experiments
          const total = experiment?.arms.reduce((sum, each) => sum + each.users, 0) ?? 0
          return total >= armOf.size ? experiment!.arms : null
        },
        15_000,
      )
      await page.reload()
      for (const { arm, users: count } of users) await page.getByText(`${arm}: ${count} users`).waitFor()
    })

    it('promotes a model, whose feeds then name it, and rolls it back', async () => {
      const { url, folder, process } = server()
      await process.stop()
      await putModel(folder)
      await process.start(120_000)
      let asked = 0
      const modelOf = async (): Promise<string> => {
        const { feedId } = await apiFeed(url, { userId: `model-${asked++}` })
        return ((await ask(`${url}/api/feeds/v1/explain`, { feedId })) as { modelVersion: string }).modelVersion
      }
      const serves = (version: string): Promise<true> =>
        eventually(`feeds of ${version}`, async () => ((await modelOf()) === version ? true : null), 15_000)
      const first = await modelOf()
      expect(first).not.toBe(secondModel)
      const { page } = await open({ path: '/operate/models' })
      const card = page.getByRole('region', { name: secondModel, exact: true })
      await card.getByRole('button', { name: 'Promote…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Promote', exact: true }).click()
      await page.getByText(`${secondModel} serves`).waitFor()
      await serves(secondModel)
      await page.getByRole('button', { name: 'Roll back…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Roll back', exact: true }).click()
      await page.getByText(`${first} serves`).waitFor()
      await serves(first)
      const { surfaces } = (await operations('/v1/models')) as {
        surfaces: { surface: string; serving: string; models: { version: string; stage: string }[] }[]
      }
      const home = surfaces.find(({ surface }) => surface === 'home')!
      expect(home.serving).toBe(first)
      expect(home.models.find(({ version }) => version === secondModel)?.stage).toBe('retired')
    })

    it('shows dead letters and applies those again that can be read, once', async () => {
      const { url, folder, process } = server()
      await process.stop()
      await putBadEvents(folder, { userId: 'mended', pinId: 'noto-cat-face' })
      await process.start(120_000)
      await eventually(
        'the bad event to be put aside',
        async () => (((await progressOf(url))['deadLettered'] ?? 0) > 0 ? true : null),
        15_000,
      )
      await expect(operations('/v1/users/mended/state')).rejects.toThrow('USER_UNKNOWN')
      const { page } = await open({ path: '/operate/system' })
      const letters = page.getByRole('table', { name: 'Dead letters, the newest first' })
      await letters
        .getByRole('row', { name: /broken-user.*CODEC_INVALID/ })
        .getByRole('button', { name: 'Show' })
        .click()
      await page.getByRole('dialog').getByText('////', { exact: true }).waitFor()
      await page.keyboard.press('Escape')
      await letters.getByRole('row', { name: /mended.*CODEC_INVALID/ }).waitFor()
      const replay = async (): Promise<void> => {
        await page.getByRole('button', { name: 'Replay 2 records…' }).click()
        const dialog = page.getByRole('dialog', { name: 'Replay dead letters' })
        await dialog.getByText('1 of 2 records can be applied now.', { exact: false }).waitFor()
        await dialog.getByText('1 record still cannot be read:').waitFor()
        await dialog.getByRole('button', { name: 'Replay', exact: true }).click()
        await dialog.waitFor({ state: 'detached' })
      }
      await replay()
      const saves = async (): Promise<number | null> => {
        const state = (await operations('/v1/users/mended/state').catch(() => null)) as {
          counts: Record<string, Record<string, number>>
        } | null
        return state?.counts['save']?.['total'] ?? null
      }
      expect(await eventually('the replayed save', saves, 15_000)).toBe(1)
      const before = await progressOf(url)
      await replay()
      await eventually(
        'the repeat to be dropped',
        async () => ((await progressOf(url))['duplicate']! > before['duplicate']! ? true : null),
        15_000,
      )
      expect(await saves()).toBe(1)
    })
  },
  ['--blender.experimentsFile', experiments],
)
