import type { StateStore } from './ports/state-store.ts'
import type { TopicName } from './topics.ts'

/** What a process may do to the log and the state store, and no more than it needs. */
export interface ServiceRights {
  readonly log: {
    /** Topics that it appends to. */
    readonly write: readonly TopicName[]
    /** Topics whose records it reads. */
    readonly read: readonly TopicName[]
    /** Topics of which it needs only the partitions and where they end. */
    readonly describe: readonly TopicName[]
    /** The groups in which it reads; empty: it reads all partitions, without a group. */
    readonly groups: readonly string[]
    /** Whether it creates topics and changes their settings. */
    readonly manageTopics: boolean
  }
  /** null: it does not use the state store. */
  readonly store: StoreRights | null
}

/** Rights on families of scopes (`user` stands for `user.1`, `user.2`, …) and on pointers. `*`: all. */
export interface StoreRights {
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly readPointers: readonly string[]
  readonly movePointers: readonly string[]
  /** The calls of the port that it makes. */
  readonly calls: readonly StoreCallName[]
  /** Whether it shares the counts of rate limits with its replicas. */
  readonly sharesRates: boolean
}

/** A call of the state store. */
export type StoreCallName = Exclude<keyof StateStore, 'close'>

const catalogue = ['pins.v1', 'creators.v1', 'boards.v1'] as const
const shortLived = ['served', 'last-good', 'page-reserve'] as const
const everyStoreCall = [
  'read',
  'readForFold',
  'commit',
  'positions',
  'scan',
  'dropScope',
  'pointer',
  'movePointer',
  'append',
  'appendIf',
  'put',
] as const satisfies readonly StoreCallName[]
const everyTopic = [
  'engagements.v1',
  ...catalogue,
  'pin-engagements.v1',
  'pin-features.v1',
  'pin-embeddings.v1',
  'models.v1',
  'model-files.v1',
  'feeds-served.v1',
  'engagements-late.v1',
  'dead-letters.v1',
  'erasures.v1',
] as const satisfies readonly TopicName[]

/** The least rights that each process works with. `freshet` is the operator's command line, `topics` the job that creates the topics. */
export const serviceRights = {
  'event-ingest': {
    log: {
      write: ['engagements.v1', ...catalogue, 'erasures.v1', 'dead-letters.v1'],
      read: ['erasures.v1'],
      describe: [],
      groups: [],
      manageTopics: false,
    },
    store: {
      read: ['user'],
      write: [],
      readPointers: ['*'],
      movePointers: [],
      calls: ['pointer', 'positions'],
      sharesRates: true,
    },
  },
  'feature-updater': {
    log: {
      write: ['engagements.v1', ...catalogue, 'pin-engagements.v1', 'pin-features.v1', 'dead-letters.v1'],
      read: [
        'engagements.v1',
        ...catalogue,
        'pin-engagements.v1',
        'erasures.v1',
        'feeds-served.v1',
        'dead-letters.v1',
        'engagements-late.v1',
      ],
      describe: [],
      groups: ['feature-updater', 'feature-updater-catalogue'],
      manageTopics: false,
    },
    store: {
      read: [],
      write: ['user', 'pin', 'catalogue', ...shortLived],
      readPointers: [],
      movePointers: ['*'],
      calls: ['read', 'readForFold', 'commit', 'positions', 'dropScope', 'pointer', 'movePointer', 'put'],
      sharesRates: false,
    },
  },
  'candidate-service': {
    log: {
      write: [],
      read: [...catalogue, 'engagements.v1', 'pin-embeddings.v1'],
      describe: [],
      groups: [],
      manageTopics: false,
    },
    store: null,
  },
  ranker: {
    log: {
      write: [],
      read: ['pins.v1', 'pin-features.v1', 'pin-embeddings.v1', 'models.v1', 'model-files.v1'],
      describe: [],
      groups: [],
      manageTopics: false,
    },
    store: null,
  },
  trainer: {
    log: {
      write: ['pin-embeddings.v1', 'models.v1', 'model-files.v1'],
      read: ['pins.v1', 'engagements.v1', 'feeds-served.v1', 'pin-embeddings.v1', 'models.v1', 'model-files.v1'],
      describe: [],
      groups: [],
      manageTopics: false,
    },
    store: null,
  },
  blender: {
    log: {
      write: ['feeds-served.v1'],
      read: ['pins.v1', 'creators.v1', 'pin-embeddings.v1', 'engagements.v1', 'feeds-served.v1', 'erasures.v1'],
      describe: ['pin-engagements.v1', 'pin-features.v1'],
      groups: [],
      manageTopics: false,
    },
    store: {
      read: ['user', 'pin'],
      write: shortLived,
      readPointers: ['*'],
      movePointers: ['cursor-key'],
      calls: ['read', 'readForFold', 'positions', 'pointer', 'movePointer', 'append', 'appendIf', 'put'],
      sharesRates: true,
    },
  },
  freshet: {
    log: {
      write: everyTopic,
      read: everyTopic,
      describe: [],
      groups: [],
      manageTopics: false,
    },
    store: {
      read: [],
      write: ['*'],
      readPointers: [],
      movePointers: ['*'],
      calls: everyStoreCall,
      sharesRates: false,
    },
  },
  topics: {
    log: { write: [], read: [], describe: everyTopic, groups: [], manageTopics: true },
    store: null,
  },
} as const satisfies Record<string, ServiceRights>

export type ServiceWithRights = keyof typeof serviceRights
