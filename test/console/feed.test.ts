import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { ask } from './api.ts'
import { cardOf, drawnPins, feedOf, feedReflects, titleOf } from './page.ts'
import { describeConsole } from './suite.ts'

/** A machine that is busy is slower than the second that the page needs at most when it is not. */
const changedWithinMs = 5_000

describeConsole('the feed of the console', ({ server, open }) => {
  it('shows pictures with titles at the first visit, and more of them further down, none twice', async () => {
    const { page } = await open()
    const seen = new Set(await feedOf(page))
    const first = page.getByRole('article').first()
    await titleOf(first)
    await eventually(
      'a picture',
      () => page.evaluate<true | null>(`document.querySelector('article img')?.naturalWidth > 0 || null`),
      10_000,
    )
    await eventually(
      '60 pins',
      async () => {
        await page.mouse.wheel(0, 600)
        for (const pin of await drawnPins(page)) seen.add(pin)
        return seen.size >= 60 ? true : null
      },
      30_000,
    )
    const drawn = await drawnPins(page)
    expect(new Set(drawn).size).toBe(drawn.length)
  })

  it('changes what comes next after a save, and names the save in the reasons', async () => {
    const { page } = await open()
    const before = await feedOf(page)
    const card = cardOf(page, before[0]!)
    const title = await titleOf(card)
    await card.hover()
    const from = performance.now()
    await card.getByRole('button', { name: 'Save', exact: true }).click()
    const changed = await eventually(
      'another feed below the screen',
      async () => {
        const now = await drawnPins(page)
        return now.some((pin) => !before.includes(pin)) ? now : null
      },
      changedWithinMs,
    )
    const tookMs = performance.now() - from
    console.log(
      `save → changed feed: ${Math.round(tookMs)} ms as seen from outside, ${await feedReflects(page, 'Saved')} ms measured by the page`,
    )
    expect(changed[0]).toBe(before[0])
    expect(await card.getByRole('button', { name: 'Saved', exact: true }).count()).toBe(1)
    const note = page.getByText(`Since you saved ${title}`).first()
    await note.scrollIntoViewIfNeeded()
    const because = page.getByRole('article').filter({ has: note }).first()
    await because.hover()
    const answer = page.waitForResponse((response) => response.url().endsWith('/explain'))
    await because.getByRole('button', { name: /^Why this pin/ }).click()
    const why = page.getByRole('dialog', { name: 'Why this pin' })
    await why.getByText(new RegExp(`^You saved ${title}: [a-z0-9-]+ started from that`)).waitFor()
    await why.getByRole('heading', { name: 'Found by' }).waitFor()
    const explained = (await (await answer).json()) as {
      pins: { sources: { seeds?: { pinId: string; action: string }[] }[] }[]
    }
    const seeds = explained.pins.flatMap(({ sources }) => sources.flatMap((found) => found.seeds ?? []))
    expect(seeds).toContainEqual(expect.objectContaining({ pinId: before[0], action: 'ACTION_SAVE' }))
    await why.getByRole('button', { name: 'Close' }).click()
    await why.waitFor({ state: 'detached' })
  })

  it('gives a new board its name as the title, with the person as its owner, and shows it in the console', async () => {
    const { page } = await open({ userId: 'ada' })
    const [pin] = await feedOf(page)
    const card = cardOf(page, pin!)
    await card.hover()
    await card.getByRole('button', { name: /^Choose a board/ }).click()
    await page.getByLabel('New board').fill('Küche & Bad')
    await page.getByRole('button', { name: 'Create and save' }).click()
    const boards = await eventually(
      'the title of the board',
      async () => {
        const path = '/api/operations/freshet/v1/users/ada/state'
        const state = (await ask(server().url + path).catch(() => null)) as { boards: { title?: string }[] } | null
        return state?.boards.some(({ title }) => title !== undefined) ? state.boards : null
      },
      10_000,
    )
    expect(boards).toContainEqual(expect.objectContaining({ boardId: 'ada.ku-che-bad', title: 'Küche & Bad' }))
    await page.goto(`${server().url}/operate/users/ada`)
    await page.locator('.tags').getByText('Küche & Bad').waitFor()
  })

  it('never shows a hidden pin again: not on later pages, nor after a reload', async () => {
    const { page } = await open({ userId: 'ada' })
    const [pin] = await feedOf(page)
    const card = cardOf(page, pin!)
    await card.hover()
    await card.getByRole('button', { name: /^More about/ }).click()
    await page.getByRole('menuitem', { name: 'Hide' }).click()
    await eventually('the pin to go', async () => ((await card.count()) === 0 ? true : null), 2_000)
    await feedReflects(page, 'Hidden')
    for (let screen = 0; screen < 4; screen++) {
      await page.mouse.wheel(0, 900)
      expect(await drawnPins(page)).not.toContain(pin)
    }
    await page.reload()
    for (let screen = 0; screen < 4; screen++) {
      expect(await feedOf(page)).not.toContain(pin)
      await page.mouse.wheel(0, 900)
    }
  })

  it('opens a pin with related pins, and comes back to the same place', async () => {
    const { page } = await open({ userId: 'chiyo' })
    const pins = await feedOf(page)
    await page.mouse.wheel(0, 300)
    const card = cardOf(page, pins[7]!)
    const title = await titleOf(card)
    await card.getByRole('button', { name: `Open ${title}` }).click()
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
    const related = await feedOf(page, 'Related pins')
    expect(related).not.toContain(pins[7])
    const scrolled = await page.evaluate<number>('scrollY')
    await page.getByRole('button', { name: 'Back to the feed' }).click()
    await cardOf(page, pins[7]!).waitFor()
    expect(await page.evaluate<number>('scrollY')).toBe(scrolled)
    await page.goBack()
    await feedOf(page, 'Related pins')
  })

  const openCrop = async (page: Page): Promise<string> => {
    const [, pin] = await feedOf(page)
    await page.goto(`${server().url}/pin/${pin!}`)
    await page.getByRole('button', { name: 'Search a part' }).click()
    return pin!
  }

  it('searches by a part of a picture that is dragged', async () => {
    const { page } = await open()
    await openCrop(page)
    const box = (await page.locator('.crop-square').boundingBox())!
    await page.mouse.move(box.x + box.width * 0.1, box.y + box.height * 0.1)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.4, { steps: 3 })
    const asked = page.waitForRequest(/\/api\/console\/crop$/)
    await page.mouse.up()
    const sent = (await asked).postDataJSON() as { box: Record<string, number> }
    expect(sent.box['x']).toBeCloseTo(0.1, 1)
    expect(sent.box['width']).toBeCloseTo(0.5, 1)
    expect(sent.box['height']).toBeCloseTo(0.3, 1)
    expect((await feedOf(page, 'Similar pins')).length).toBeGreaterThan(3)
  })

  it('searches by a part of a picture with the keyboard', async () => {
    const { page } = await open()
    const pin = await openCrop(page)
    // The whole picture: nothing looks more like it than itself.
    for (let step = 0; step < 8; step++) for (const key of ['ArrowLeft', 'ArrowUp']) await page.keyboard.press(key)
    for (let step = 0; step < 14; step++)
      for (const key of ['Shift+ArrowRight', 'Shift+ArrowDown']) await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    expect((await feedOf(page, 'Similar pins')).slice(0, 3)).toContain(pin)
    await page.keyboard.press('Escape')
    await feedOf(page, 'Related pins')
    expect(page.url()).toContain('/pin/')
    await page.keyboard.press('Escape')
    await feedOf(page)
    expect(new URL(page.url()).pathname).toBe('/')
  })

  it.each([
    ['en', 'cat', /cat/i],
    ['de', 'Katze', /katze/i],
  ])('finds words in %s', async (locale, words, title) => {
    const { page } = await open({ locale })
    await feedOf(page)
    await page.keyboard.press('/')
    await page.keyboard.type(words)
    await page.keyboard.press('Enter')
    const found = await feedOf(page, `Results for ${words}`)
    expect(found.length).toBeGreaterThan(2)
    const cards = page.getByRole('feed', { name: `Results for ${words}` }).getByRole('article')
    const titles = await eventually(
      'titles of the results',
      async () => {
        const all = await Promise.all((await cards.all()).map((card) => card.getAttribute('aria-label')))
        return all.some((one) => title.test(one ?? '')) ? all : null
      },
      10_000,
    )
    expect(titles.filter((one) => title.test(one ?? '')).length).toBeGreaterThan(1)
  })

  it('orders a page again while sliders move, and as served when they are put back', async () => {
    const { page } = await open({ userId: 'bjorn' })
    const served = await feedOf(page)
    await page.getByRole('button', { name: 'Tune' }).click()
    const panel = page.getByRole('complementary', { name: 'Tune this page' })
    const exploration = panel.getByRole('slider', { name: 'Exploration' })
    const diversity = panel.getByRole('slider', { name: 'Diversity' })
    await exploration.focus()
    await page.keyboard.press('Home')
    await diversity.focus()
    await page.keyboard.press('Home')
    await panel.getByText(/^[1-9]\d* pins moved, in/).waitFor()
    const moved = await drawnPins(page)
    expect(moved).not.toEqual(served.slice(0, moved.length))
    expect(await page.locator('.pin-moved').count()).toBeGreaterThan(0)
    await panel.getByRole('button', { name: 'As served' }).click()
    await panel.getByText('As served.').waitFor()
    // Beside the panel there are fewer columns, and so fewer pins near the screen.
    const again = await drawnPins(page)
    expect(again).toEqual(served.slice(0, again.length))
  })

  it('gives each user another feed, and somebody new a feed too', async () => {
    const { page } = await open({ userId: 'ada' })
    const ada = await feedOf(page)
    const choose = async (name: RegExp): Promise<readonly string[]> => {
      const before = await drawnPins(page)
      await page.getByRole('button', { name: /switch user/ }).click()
      await page.getByRole('button', { name }).click()
      return eventually(
        'another feed',
        async () => {
          const now = await drawnPins(page)
          return now.length > 0 && now.join() !== before.join() ? now : null
        },
        15_000,
      )
    }
    const kofi = await choose(/^Kofi/)
    const nobody = await choose(/^Someone new/)
    expect(new Set([ada, kofi, nobody].map((pins) => pins.join())).size).toBe(3)
    await page.getByRole('button', { name: /You are Someone new/ }).waitFor()
    // What Ada has not seen is hers still, and the choice survives a reload.
    await page.reload()
    await feedOf(page)
    await page.getByRole('button', { name: /You are Someone new/ }).waitFor()
  })
})
