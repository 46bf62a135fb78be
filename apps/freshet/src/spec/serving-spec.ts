import { formatSpec } from '@freshet/ranking/language/format'
import type { RecordingProfile } from './recording-profile.ts'

/** Inputs that are proposed together, for one reason. */
interface Proposal {
  readonly inputs: readonly string[]
  /** Makes a formula of an input. */
  readonly formula: (input: string) => string
  /** Why they are there; null: the recording has nothing for them. */
  readonly reason: string | null
  readonly absence: string
}

/** Actions that can have a head, with what one is worth by default. */
const worth: Readonly<Record<string, number>> = { closeup: 1, click: 2, save: 4, hide: -10 }
const plain = (input: string): string => input
const logarithm = (input: string): string => `signed_log1p(${input})`

/**
 * A first spec for serving: only features whose data the recording has, with the reason for each group, and a head for each
 * action that occurs.
 */
export function servingSpecOf(profile: RecordingProfile, name: string, source: string): string {
  const proposals = proposalsFor(profile)
  const used = proposals.filter(({ reason }) => reason !== null)
  const inputs = used.flatMap((proposal) => proposal.inputs)
  const heads = Object.keys(worth).filter((action) => (profile.actions.get(action) ?? 0) > 0)
  const formulas = used.flatMap((proposal) => proposal.inputs.map(proposal.formula))
  const lines = [
    `# Written from ${source}: ${profile.engagements} engagements of ${profile.users} users, ${profile.pins} pins.`,
    '# Every line is a proposal; change what you know better.',
    `spec ${name}`,
    ...used.flatMap((proposal) => ['', `# ${proposal.reason!}`, ...proposal.inputs.map((input) => `input ${input}`)]),
    ...proposals
      .filter(({ reason }) => reason === null)
      .map(({ inputs: absent, absence }) => `\n# left out: ${absent.join(', ')}: ${absence}`),
    '',
    `layer trunk = dcn_v2(standardise(concat(${formulas.join(', ')})), cross: 2, hidden: [64, 32])`,
    ...heads.map(
      (action) =>
        `head ${action}: probability = linear(trunk), calibrate: platt # ${profile.actions.get(action)!} in the recording`,
    ),
    `utility = ${heads
      .map((action) => `${worth[action]!} * ${action}`)
      .join(' + ')
      .replaceAll('+ -', '- ')} # worth of one action each; say what yours are worth`,
    `expose ${inputs[0]!}`,
  ]
  return formatSpec(lines.join('\n'), name)
}

function proposalsFor(profile: RecordingProfile): readonly Proposal[] {
  const { pins, withTopics, withCreator, topics, creators, withBoard, engagements, follows, actions } = profile
  const share = (count: number, of: number): string => `${of === 0 ? 0 : Math.round((100 * count) / of)} %`
  const acted = Object.keys(worth).filter((action) => (actions.get(action) ?? 0) > 0)
  return [
    {
      inputs: ['candidate.retrieval_score'],
      formula: (input) => `log(${input}, floor: 0.000001)`,
      reason: 'The merged score of the sources: a cold model starts from the order of retrieval.',
      absence: '',
    },
    {
      inputs: ['pin.age'],
      formula: logarithm,
      reason: 'Age of the pin, from its first engagement or its entry.',
      absence: '',
    },
    {
      inputs: acted.flatMap((action) => [`pin.${action}_rate`, `user.${action}_rate`]),
      formula: plain,
      reason:
        acted.length > 0
          ? `Rates of the actions that occur: ${acted.map((action) => `${action} ${actions.get(action)!}`).join(', ')}.`
          : null,
      absence: 'no action that a head could learn occurs',
    },
    {
      inputs: ['candidate.topic_affinity', 'candidate.topic_recency'],
      formula: logarithm,
      reason: withTopics > 0 ? `${share(withTopics, pins)} of the pins have topics, ${topics} different ones.` : null,
      absence: 'no pin of the recording has topics',
    },
    {
      inputs: ['candidate.creator_affinity', 'candidate.creator_recency'],
      formula: logarithm,
      reason:
        withCreator > 0 ? `${share(withCreator, pins)} of the pins have a creator, ${creators} different ones.` : null,
      absence: 'no pin of the recording has a creator',
    },
    {
      inputs: ['candidate.board_affinity', 'pin.boards'],
      formula: logarithm,
      reason: withBoard > 0 ? `${share(withBoard, engagements)} of the engagements name a board.` : null,
      absence: 'no engagement of the recording names a board',
    },
    {
      inputs: ['candidate.follows_topic', 'candidate.follows_creator'],
      formula: plain,
      reason: follows > 0 ? `${follows} engagements follow a topic or a creator.` : null,
      absence: 'nobody follows anything in the recording',
    },
    {
      inputs: ['candidate.seen_before', 'candidate.seen_recency'],
      formula: plain,
      reason:
        (actions.get('impression') ?? 0) > 0
          ? `${actions.get('impression')!} impressions say what was shown before.`
          : null,
      absence: 'the recording has no impressions',
    },
  ]
}
