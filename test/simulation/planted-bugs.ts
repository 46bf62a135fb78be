import { registerHooks } from 'node:module'
import { refuseArguments } from '../harness/arguments.ts'

interface Edit {
  /** The end of the file's path. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A bug that is put into the updater's source as it is loaded. */
export interface PlantedBug {
  readonly name: string
  readonly means: string
  readonly edits: readonly Edit[]
}

const folder = 'feature-updater/src/fold-partition.ts'
const users = 'feature-updater/src/fold-users.ts'
const userValues = 'feature-updater/src/user-values.ts'
const merging = 'feature-updater/src/merging.ts'
const userState = 'contracts/src/codecs/user-state.ts'
const pins = 'feature-updater/src/fold-pins.ts'
const dedupe = 'feature-updater/src/dedupe.ts'
const updater = 'feature-updater/src/updater.ts'
const pointers = 'feature-updater/src/pointers.ts'
const erasures = 'feature-updater/src/erasures.ts'
const letters = 'feature-updater/src/replay-dead-letters.ts'
const rebuild = 'feature-updater/src/rebuild.ts'
const simulatedStore = 'simulation/sim-store.ts'

const dropOnRevoke: readonly Edit[] = [
  { file: pointers, find: 'folderFor(parts, familyOf(topic)).drop(partition)\n  if', replace: 'if' },
  { file: updater, find: 'folderFor(parts, familyOf(topic)).drop(partition)\n      progress', replace: 'progress' },
]

/** Bugs of the kinds that cost exactly-once, each of which the simulation has to find. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'rollback-ignored',
    means: "the fence's ROLLBACK branch is removed: the reader goes on although the store lost commits",
    edits: [
      {
        file: folder,
        find: 'if (stored !== batch.next) return { seekTo: positionIn(stored) }',
        replace: "if (kind !== 'ROLLBACK' && stored !== batch.next) return { seekTo: positionIn(stored) }",
      },
    ],
  },
  {
    name: 'partial-folded-whole',
    means: 'a batch of which a part had been applied is folded whole, on top of that part',
    edits: [
      {
        file: folder,
        find: 'if (stored !== batch.from) return move(batch, kindOf(batch, stored), stored)\n      memo =',
        replace:
          'if (stored < batch.from || stored >= batch.next) return move(batch, kindOf(batch, stored), stored)\n      memo =',
      },
      { file: folder, find: 'from: batch.from,', replace: 'from: stored,' },
    ],
  },
  {
    name: 'committed-offset-trusted',
    means: 'where the reader stands is believed, not the stored position',
    edits: [
      {
        file: folder,
        find: 'if (stored !== batch.from) return move(batch, kindOf(batch, stored), stored)\n      memo = { position: stored,',
        replace: 'memo = { position: batch.from,',
      },
      {
        file: folder,
        find: 'if (stored !== memo.position) return move(batch, kindOf(batch, stored), stored)',
        replace: '',
      },
      { file: folder, find: 'from: batch.from,', replace: 'from: stored,' },
    ],
  },
  {
    name: 'dedupe-after-commit',
    means: 'event ids are remembered by the commit after the one that folded them',
    edits: [
      {
        file: folder,
        find: 'remember: result.remember,',
        replace:
          'remember: [forgetful.get(log)?.get(partition) ?? [], rememberLater(log, partition, result.remember)][0],',
      },
      {
        file: folder,
        find: 'function kindOf(',
        replace:
          'const forgetful = new WeakMap()\nfunction rememberLater(log, partition, remember) {\n  if (!forgetful.has(log)) forgetful.set(log, new Map())\n  forgetful.get(log).set(partition, remember)\n}\nfunction kindOf(',
      },
    ],
  },
  {
    name: 'dedupe-in-batch-only',
    means: 'repeats are looked for in the batch, not in the stored memory',
    edits: [{ file: users, find: 'if (remembered || ', replace: 'if (' }],
  },
  {
    name: 'dedupe-by-event-time',
    means:
      'ids are remembered by when the event happened, so that histories and events from the future decide what is still remembered',
    edits: [
      {
        file: dedupe,
        find: 'return scan.receivedAtMs > 0 ?',
        replace: 'if (scan.occurredAtMs > 0) return scan.occurredAtMs\n  return scan.receivedAtMs > 0 ?',
      },
      {
        file: dedupe,
        find: 'scan: { readonly receivedAtMs: number }',
        replace: 'scan: { readonly receivedAtMs: number; readonly occurredAtMs: number }',
      },
    ],
  },
  {
    name: 'dedupe-by-watermark',
    means: 'ids are remembered by the newest event time of the partition',
    edits: [
      {
        file: users,
        find: 'const generation = window.generationOf(receivedAt(scan, record))',
        replace: 'const generation = window.generationOf(watermarkMs)',
      },
    ],
  },
  {
    name: 'dedupe-window-by-batch',
    means:
      'ids are looked for wherever any record of the batch has to look, so what a record comes to depends on where the batch was cut',
    edits: [
      {
        file: dedupe,
        find: 'return [...byGeneration].map(',
        replace:
          'return [{ generations: [...new Set([...byGeneration.keys()].flatMap(lookedIn))], indices: null }]\n      return [...byGeneration].map(',
      },
    ],
  },
  {
    name: 'dedupe-in-batch-at-any-age',
    means: 'within a batch a repeat is dropped however long after the first it was received',
    edits: [
      {
        file: users,
        find: 'window.covers(generations[index] ?? 0, generations[other] ?? 0)',
        replace: 'index !== other',
      },
    ],
  },
  {
    name: 'withdrawn-forgotten',
    means: 'what was taken back is not remembered, so that an older event that comes later brings it back',
    edits: [
      {
        file: 'features/relations.ts',
        find: 'newest.set(key, change)',
        replace: 'if (change.stands) newest.set(key, change)\n      else newest.delete(key)',
      },
    ],
  },
  {
    name: 'older-hides-by-arrival',
    means: 'of hides beyond those kept by id an older change that comes later counts',
    edits: [
      {
        file: 'features/relations.ts',
        find: '(known === undefined || hash === null ? null : findOlder(known, hash))',
        replace:
          '(known === undefined || hash === null || findOlder(known, hash) === null ? null : { atMs: 0, stands: true })',
      },
    ],
  },
  {
    name: 'relations-by-arrival',
    means: 'of a hide and an unhide the one that came last counts, not the one that happened last',
    edits: [{ file: 'features/relations.ts', find: 'change.atMs > before.atMs', replace: 'change.atMs > 0' }],
  },
  {
    name: 'high-water-mark-dropped',
    means: 'the second stage folds what the first sent twice',
    edits: [{ file: pins, find: 'if (mark === undefined) return 0', replace: 'if (mark !== null) return 0' }],
  },
  {
    name: 'overlapping-batch-dropped-whole',
    means: 'a batch that was sent again with another end is taken for a repeat as a whole, since its first row is one',
    edits: [{ file: pins, find: 'return row\n}', replace: 'return row === 0 ? 0 : keys.length\n}' }],
  },
  {
    name: 'overlapping-batch-folded-whole',
    means: 'a batch that was sent again with another end is folded as a whole, since its last row is new',
    edits: [{ file: pins, find: 'return row\n}', replace: 'return row === keys.length ? row : 0\n}' }],
  },
  {
    name: 'mark-of-the-first-row',
    means: 'the high-water mark is raised to the first row of a batch instead of the last',
    edits: [
      {
        file: pins,
        find: 'position: positions[last] ?? 0, index: (indexes[last] ?? 0) + 1',
        replace: 'position: positions[first] ?? 0, index: (indexes[first] ?? 0) + 1',
      },
    ],
  },
  {
    name: 'source-position-without-its-log',
    means:
      'what is sent onward of an adopted log carries plain positions, which the second stage takes for repeats of the log before',
    edits: [
      {
        file: users,
        find: 'storedPosition(batch.epoch, record.position)',
        replace: 'record.position',
      },
    ],
  },
  {
    name: 'adopted-log-read-from-where-it-was',
    means: 'an adopted log is folded from the position in the log before it',
    edits: [
      {
        file: folder,
        find: 'const [from, next] = [position ?? 0, storedPosition(epoch, 0)]',
        replace: 'const [from, next] = [position ?? 0, storedPosition(epoch, positionIn(position ?? 0))]',
      },
    ],
  },
  {
    name: 'other-log-not-noticed',
    means: 'records of a log that nobody adopted are folded on top of the state of the one before',
    edits: [{ file: 'feature-updater/src/following.ts', find: 'if (replaced !== null) throw replaced', replace: '' }],
  },
  {
    name: 'high-water-mark-in-memory',
    means: 'high-water marks are kept by the process and not stored',
    edits: [
      {
        file: folder,
        find: 'meta: encodePartitionMeta(result.meta),',
        replace: 'meta: encodePartitionMeta({ ...result.meta, highWaterMarks: new Map() }),',
      },
    ],
  },
  {
    name: 'cache-kept-on-revoke',
    means: 'a partition that was lost and comes back is folded from what was cached before',
    edits: [
      ...dropOnRevoke,
      { file: folder, find: 'if (memo?.position !== batch.from) {', replace: 'if (memo === undefined) {' },
      {
        file: folder,
        find: 'if (stored !== memo.position) return move(batch, kindOf(batch, stored), stored)',
        replace: 'if (stored !== batch.from) return move(batch, kindOf(batch, stored), stored)',
      },
      {
        file: folder,
        find: 'const move = (batch: LogBatch',
        replace: 'const keep = (partition: number) => undefined\n  const move = (batch: LogBatch',
      },
      { file: folder, find: 'drop(batch.partition)\n    observer', replace: 'keep(batch.partition)\n    observer' },
      { file: folder, find: 'drop(batch.partition)\n        if', replace: 'keep(batch.partition)\n        if' },
    ],
  },
  {
    name: 'onward-after-commit',
    means: 'what goes to the second stage is appended after the commit, so a crash in between loses it',
    edits: [
      {
        file: folder,
        find: 'await Promise.all(result.onward.map(({ topic, records }) => options.log.append(topic, records, call)))',
        replace: '',
      },
      {
        file: folder,
        find: 'share.add(parsed.length, badRecords)',
        replace:
          'for (const { topic, records } of result.onward) await options.log.append(topic, records, call)\n    share.add(parsed.length, badRecords)',
      },
    ],
  },
  {
    name: 'onward-errors-swallowed',
    means: 'a refused append is taken for done',
    edits: [
      {
        file: folder,
        find: 'options.log.append(topic, records, call)',
        replace: 'options.log.append(topic, records, call).catch(() => undefined)',
      },
    ],
  },
  {
    name: 'late-by-watermark',
    means: 'an event that is much older than the newest of its partition is not folded',
    edits: [
      {
        file: users,
        find: '    if (remembered || ',
        replace:
          "    if (watermarkMs - occurredAtMs > 86_400_000) {\n      say('late')\n      continue\n    }\n    if (remembered || ",
      },
    ],
  },
  {
    name: 'append-outside-the-fence',
    means: 'the store appends even where the fence refuses the commit, so that one sent again appends twice',
    edits: [
      {
        file: simulatedStore,
        find: 'if (stored >= change.next && before.position !== null) return',
        replace:
          'if (stored >= change.next) for (const { key, value } of change.appends) (before.values as Map<string, Uint8Array>).set(key, joined(before.values.get(key), value))\n    if (stored >= change.next && before.position !== null) return',
      },
    ],
  },
  {
    name: 'tail-dropped-when-written-whole',
    means: 'what was appended to a user is left out when the value is written whole again',
    edits: [
      {
        file: userValues,
        find: 'base = stored === null ? null : decodeUserState(stored)',
        replace:
          'base = stored === null ? null : decodeUserState(Message.encode({ ...Message.decode(stored), tail: [] }).finish())',
      },
      {
        file: userValues,
        find: 'import { foldUser,',
        replace:
          "import { UserState as Message } from '@freshet/contracts/gen/freshet/state/v1/state'\nimport { foldUser,",
      },
    ],
  },
  {
    name: 'append-to-what-was-read',
    means: 'a user whose value was read to be written whole is appended to as well',
    edits: [
      {
        file: userValues,
        find: 'result.puts.push({ key, value: encodeUserState(state, limits), ttlMs })',
        replace:
          'void [result.puts.push({ key, value: encodeUserState(state, limits), ttlMs }), result.appends.push({ key, value: encodeUserTail(pending, 0, limits).bytes, ttlMs })]',
      },
    ],
  },
  {
    name: 'tombstone-out-of-order',
    means: 'forgetting a user does not reach what is before it in the same batch',
    edits: [{ file: userValues, find: 'added.set(key, [])\n', replace: '' }],
  },
  {
    name: 'erased-events-folded',
    means: 'events from before the erasure that come after it are folded all the same',
    edits: [{ file: users, find: 'if (erasedMs !== null && occurredAtMs <= erasedMs) {', replace: 'if (false) {' }],
  },
  {
    name: 'erasure-without-tombstone',
    means: 'a user is erased from now on, but what was folded before stays',
    edits: [{ file: erasures, find: 'if (due.length === 0) continue', replace: 'continue' }],
  },
  {
    name: 'erasure-forgotten-on-restart',
    means: 'a process folds before it has read which users were erased',
    edits: [
      {
        file: updater,
        find: 'const erased = erasures.fold(batch.records)',
        replace: 'const erased = batch.from === 0 ? [] : erasures.fold(batch.records)',
      },
    ],
  },
  {
    name: 'erasure-overtaken',
    means: 'a batch that was folded before the erasure was known, and committed after it, is not looked at again',
    edits: [
      {
        file: updater,
        find: 'for (const userId of erased) erasures.doubt',
        replace: 'for (const userId of []) erasures.doubt',
      },
    ],
  },
  {
    name: 'tombstone-takes-too-much',
    means: 'a tombstone takes what came after the erasure, so that a rebuild knows less than the log',
    edits: [{ file: users, find: 'heldSinceMs(state) > until', replace: 'false' }],
  },
  {
    name: 'rebuild-ahead-of-serving',
    means:
      'a rebuild folds past the generation that serves, so that after the switch nobody sends onward what is between',
    edits: [
      {
        file: rebuild,
        find: 'const next = Math.min(batch.next, limit)',
        replace: 'const next = batch.next + 0 * limit',
      },
    ],
  },
  {
    name: 'compared-at-unequal-positions',
    means: 'a rebuild compares values of both generations at whatever positions they are',
    edits: [{ file: rebuild, find: 'if (placeOf(after.position) !== placeOf(before.position)) continue', replace: '' }],
  },
  {
    name: 'rebuild-alone',
    means: 'a rebuild does not notice that somebody else folds into its generation, and waits for ever',
    edits: [
      {
        file: rebuild,
        find: 'const stands = verdict?.seekTo ?? next',
        replace: 'if (verdict !== undefined) return verdict\n    const stands = next',
      },
    ],
  },
  {
    name: 'switched-is-silent',
    means: 'what is folded in a generation that was switched to is not sent onward',
    edits: [
      {
        file: folder,
        find: 'if (options.sendOnward) {',
        replace: "if (options.sendOnward && options.generation() === '1') {",
      },
    ],
  },
  {
    name: 'letter-keeps-its-source',
    means: 'a replayed letter counts by where its record once came from, and takes the mark past what is yet to come',
    edits: [
      {
        file: letters,
        find: 'const source = { partition: from, position, index: pinEngagement.source.index }',
        replace:
          'const source = { ...pinEngagement.source, partition: pinEngagement.source.partition + 0 * (from + position) }',
      },
    ],
  },
  {
    name: 'letters-by-time',
    means:
      'letters are replayed in the order of their times instead of their places, so that marks hide the later ones',
    edits: [{ file: letters, find: 'of [...letters].sort(byPlace)) {', replace: 'of letters) {' }],
  },
  {
    name: 'handover-folded-again',
    means: 'what a partition sends again after a crash is merged again',
    edits: [{ file: merging, find: 'if (mark !== undefined && source.position <= mark.position) return', replace: '' }],
  },
  {
    name: 'handover-after-commit',
    means: 'a state is handed over after the commit that took it from its user, so that a crash between them loses it',
    edits: [
      {
        file: folder,
        find: 'await Promise.all(result.onward.map(({ topic, records }) => options.log.append(topic, records, call)))',
        replace:
          "await Promise.all(result.onward.filter(({ topic }) => topic !== 'engagements.v1').map(({ topic, records }) => options.log.append(topic, records, call)))",
      },
      {
        file: folder,
        find: 'share.add(parsed.length, badRecords)',
        replace:
          "if (options.sendOnward) await Promise.all(result.onward.filter(({ topic }) => topic === 'engagements.v1').map(({ topic, records }) => options.log.append(topic, records, call)))\n    share.add(parsed.length, badRecords)",
      },
    ],
  },
  {
    name: 'handover-of-any-partition',
    means: 'a handover does not say which partition it came from, so that the marks of two partitions hide each other',
    edits: [{ file: merging, find: 'partition: batch.partition, position', replace: 'partition: 0, position' }],
  },
  {
    name: 'merged-user-keeps-counts',
    means: 'what was handed over still counts for the merged user, and is handed over again by the next merge',
    edits: [{ file: merging, find: '...afterHandover(state), merges', replace: '...state, merges' }],
  },
  {
    name: 'merged-user-counts-twice',
    means: 'an engagement that follows a merge counts for both users',
    edits: [
      { file: merging, find: 'keptOf(state, foldUser(state,', replace: '((_, all) => all)(state, foldUser(state,' },
    ],
  },
  {
    name: 'merged-user-forgets-hides',
    means: 'a merged user keeps nothing of what must never be shown',
    edits: [
      { file: merging, find: '...afterHandover(state), merges', replace: '...afterHandover(newUserState), merges' },
    ],
  },
  {
    name: 'merge-not-followed',
    means: 'what comes later under the merged id stays there',
    edits: [{ file: merging, find: 'receivedAtMs - into.atMs <= forwardMs', replace: 'false' }],
  },
  {
    name: 'merge-followed-for-ever',
    means: 'what comes under the merged id follows without a time limit',
    edits: [{ file: merging, find: 'receivedAtMs - into.atMs <= forwardMs', replace: 'true' }],
  },
  {
    name: 'merge-in-a-circle',
    means: 'a merge back is accepted',
    edits: [{ file: merging, find: 'if (from.includes(intoUserId)) return cycle(merge)', replace: '' }],
  },
  {
    name: 'handover-in-a-circle',
    means: 'what is handed over goes round between two users who were merged into each other',
    edits: [{ file: merging, find: '!path.includes(into.userId) && ', replace: '' }],
  },
  {
    name: 'merged-value-appended-to',
    means: 'the value of a merged user is appended to without looking who it was merged into',
    edits: [
      { file: userState, find: 'into === null && !words ? 0 : fullTailBytes', replace: '0' },
      { file: userValues, find: 'Number.POSITIVE_INFINITY : 0', replace: '0 : 0' },
    ],
  },
]

/** Puts a bug into every module loaded from now on. Ends the process where there is no such bug; throws a RangeError where the code that it changes is not there any more. */
export function plant(name: string, bugs: readonly PlantedBug[] = plantedBugs): void {
  const bug = bugs.find((known) => known.name === name)
  if (bug === undefined) refuseArguments(`there is no bug ${name}; there are ${bugs.map((b) => b.name).join(', ')}`)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const edits = bug.edits.filter(({ file }) => url.endsWith(file))
      if (edits.length === 0 || loaded.source == null) return loaded
      let source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
      for (const { find, replace } of edits) {
        if (!source.includes(find)) throw new RangeError(`${name}: ${url} no longer holds ${JSON.stringify(find)}`)
        source = source.replace(find, () => replace)
      }
      return { ...loaded, source }
    },
  })
}
