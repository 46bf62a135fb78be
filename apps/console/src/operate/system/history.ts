import type { ServicesAnswer } from './samples.ts'

const kept = 180
let answers: readonly ServicesAnswer[] = []

/** Keeps an answer, also for when the view is left and comes back. Returns all, oldest first. */
export function remember(answer: ServicesAnswer): readonly ServicesAnswer[] {
  const last = answers.at(-1)
  if (last === undefined || answer.atMs > last.atMs) answers = [...answers, answer].slice(-kept)
  return answers
}
