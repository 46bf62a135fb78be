import type { PictureCatalogue } from '@freshet/pictures/catalogue'
import { createProgress } from '@freshet/service/progress'
import type { Demo } from '../console/demo.ts'

/**
 * Opens the catalogue of pictures; shows progress while it embeds them for the first time, by any steady clock in milliseconds. It is imported here, because images of the
 * services do not have it. Rejects with what to do if it is not installed.
 */
export async function openPictures(nowMs: () => number): Promise<PictureCatalogue> {
  const { openPictureCatalogue } = await import('@freshet/pictures/catalogue').catch((cause: unknown) => {
    throw new Error('the sample needs development packages, which are not installed; start with --sample false', {
      cause,
    })
  })
  let done = 0
  let progress: ReturnType<typeof createProgress> | null = null
  const catalogue = await openPictureCatalogue({
    onEmbedded: (count, total) => {
      progress ??= createProgress({
        label: 'looking at the pictures of the sample, once',
        unit: 'pictures',
        total,
        out: process.stderr,
        nowMs,
      })
      progress.advance(count - done)
      done = count
    },
  })
  ;(progress as ReturnType<typeof createProgress> | null)?.done()
  return catalogue
}

/** What the console shows of the sample. `isKnown`: the sample may hold only some of the pictures, and only those are found by words. */
export async function demoOf(pictures: PictureCatalogue, isKnown: (pinId: string) => boolean): Promise<Demo> {
  const { namedUsers } = await import('@freshet/pictures/users')
  return {
    users: namedUsers.map(({ userId, name, likes, locale }) => ({ userId, name, likes, locale })),
    locales: pictures.locales,
    attributions: pictures.attributions,
    pictures: {
      ...pictures,
      search: (words, locale, limit) =>
        pictures.search(words, locale, pictures.pinIds.length).filter(isKnown).slice(0, limit),
    },
  }
}
