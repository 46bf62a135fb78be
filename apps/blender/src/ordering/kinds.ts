import type { FeedRequest } from '../request.ts'
import type { ClassKind } from './candidate-classes.ts'

/** The kinds of classes that a rule is about. Related pins share their topic and boards and look alike on purpose, so rules about these do not apply to them. */
export function kindsFor<Kind extends ClassKind>(
  surface: FeedRequest['surface'],
  kinds: readonly Kind[],
): readonly Kind[] {
  return surface === 'home' ? kinds : kinds.filter((kind) => kind === 'creator' || kind === 'source')
}
