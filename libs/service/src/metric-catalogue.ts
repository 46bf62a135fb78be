/** The definition of a metric. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  readonly buckets?: readonly number[]
}

const secondBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Every metric of every process; add new ones here. Names contain the unit, as Prometheus recommends. */
export const metricCatalogue = {
  freshet_service_state: {
    type: 'gauge',
    help: '1 for the current state of the process, 0 for the other states.',
    labels: ['state'],
  },
  freshet_service_ready: {
    type: 'gauge',
    help: '1 while `/readyz` of the process answers 200, 0 while it names a problem.',
    labels: [],
  },
  freshet_disk_free_bytes: {
    type: 'gauge',
    help: 'Free space of the disk of a folder, by the setting that names it.',
    labels: ['folder'],
  },
  freshet_disk_size_bytes: {
    type: 'gauge',
    help: 'Size of the disk of a folder, by the setting that names it.',
    labels: ['folder'],
  },
  freshet_errors_total: {
    type: 'counter',
    help: 'Errors that did not end the process, by part, code and consequence for the work: retried, left-out, lost, stopped, defect.',
    labels: ['part', 'code', 'outcome'],
  },
  freshet_trace_spans_total: {
    type: 'counter',
    help: 'Spans of recorded traces, by outcome: sent, dropped (too many were waiting for the collector), failed (the collector did not take them).',
    labels: ['outcome'],
  },
  freshet_grpc_calls_total: {
    type: 'counter',
    help: 'Answered gRPC calls, by method and status.',
    labels: ['method', 'status'],
  },
  freshet_grpc_call_seconds: {
    type: 'histogram',
    help: 'Time from a gRPC call to its answer.',
    labels: ['method'],
    buckets: secondBuckets,
  },
  freshet_rate_limited_total: {
    type: 'counter',
    help: 'Requests that were refused because their `key`, `user` or `address`, or many `users` of an address together, send too fast.',
    labels: ['by'],
  },
  freshet_http_connections: {
    type: 'gauge',
    help: 'Open connections of an HTTP server (`ingest`, `feed`, `operations`).',
    labels: ['server'],
  },
  freshet_http_connections_closed_total: {
    type: 'counter',
    help: 'Connections that an HTTP server closed, by reason: `receive-timeout`, `send-timeout`, `limit`, `address-limit`, `refused` (every other connection was busy), `stop`.',
    labels: ['server', 'reason'],
  },
  freshet_grpc_connections_refused_total: {
    type: 'counter',
    help: 'Connections that the gRPC server closed at once, by the limit that they exceeded: `limit` (all), `address-limit`.',
    labels: ['limit'],
  },
  freshet_tls_reloads_total: {
    type: 'counter',
    help: 'Changes of the files of `tls`, by outcome: loaded (new connections use them), refused (they cannot be used or do not go together; the earlier ones stay).',
    labels: ['outcome'],
  },
  freshet_tls_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the first certificate of a file of `tls` expires, seconds since the epoch.',
    labels: ['file'],
  },
  freshet_access_refused_total: {
    type: 'counter',
    help: 'Requests and calls that were refused for their credentials, by server (`ingest`, `feed`, `operations`, `grpc`, …) and error code.',
    labels: ['server', 'code'],
  },
  freshet_calls_total: {
    type: 'counter',
    help: 'Answered calls, each call on a stream included, by call (`Retrieve`, `Rank`, `GatherTrails`, `GetFeed`, `GetRelatedPins`) and gRPC status.',
    labels: ['call', 'status'],
  },
  freshet_call_seconds: {
    type: 'histogram',
    help: 'Time from a call to its answer, for each call on a stream too.',
    labels: ['call'],
    buckets: secondBuckets,
  },
  freshet_sources_total: {
    type: 'counter',
    help: 'Queries of candidate sources, by source and outcome: answered, empty, timed-out, failed.',
    labels: ['source', 'outcome'],
  },
  freshet_source_seconds: {
    type: 'histogram',
    help: 'Time of a candidate source for a request.',
    labels: ['source'],
    buckets: secondBuckets,
  },
  freshet_ingest_events_total: {
    type: 'counter',
    help: 'Events by kind (engagement, pin, erasure) and outcome: `accepted` or the code of the error.',
    labels: ['kind', 'outcome'],
  },
  freshet_connector_events_total: {
    type: 'counter',
    help: 'Events of other systems by connector (`cloudevents`, `segment`, `source`) and outcome: `accepted`, `merged`, why it was skipped (`unknown-name`, `dropped`, `ignored-call`, `nothing-to-merge`, `merge-denied`, `empty-record`), `lost` (retention deleted it unread), or the code of the error.',
    labels: ['connector', 'outcome'],
  },
  freshet_connector_lag_records: {
    type: 'gauge',
    help: 'Records of `source.topic` in the partitions of this process that ingest has not handled yet; NaN while the brokers do not answer.',
    labels: [],
  },
  freshet_ingest_requests_total: {
    type: 'counter',
    help: 'Ingest requests by protocol and outcome: `accepted` or the code of the error.',
    labels: ['protocol', 'outcome'],
  },
  freshet_ingest_append_seconds: {
    type: 'histogram',
    help: 'Time until the log acknowledged the events of a request.',
    labels: ['kind'],
    buckets: secondBuckets,
  },
  freshet_ingest_log_lost_records_total: {
    type: 'counter',
    help: 'Records that the log acknowledged to this process and no longer has: twice in a row it ended before their positions.',
    labels: ['topic'],
  },
  freshet_ingest_in_flight_bytes: {
    type: 'gauge',
    help: 'Bytes of requests that the log has not acknowledged yet.',
    labels: [],
  },
  freshet_ingest_clock_skew_seconds: {
    type: 'histogram',
    help: "Absolute correction of client times, observed only where the client's clock must be wrong.",
    labels: [],
    buckets: [0.1, 0.5, 1, 2, 5, 15, 60, 300, 3600, 86400],
  },
  freshet_view_lag_records: {
    type: 'gauge',
    help: 'Log records that the views of a service have not folded yet.',
    labels: ['service'],
  },
  freshet_view_rows: {
    type: 'gauge',
    help: 'Rows in the views of a service: pins, sessions, states.',
    labels: ['service', 'view'],
  },
  freshet_view_bytes: {
    type: 'gauge',
    help: 'Memory of the views of a service.',
    labels: ['service', 'view'],
  },
  freshet_view_event_seconds: {
    type: 'histogram',
    help: 'Time from the append of an engagement until the views of a service have folded it. Only engagements appended since the start, because a start reads older ones again.',
    labels: ['service'],
    buckets: [...secondBuckets, 30, 60, 300, 3600],
  },
  freshet_view_snapshot_timestamp_seconds: {
    type: 'gauge',
    help: 'When a service last wrote a snapshot of its views, seconds since the epoch; until the first one, when the process started. Absent where it writes none.',
    labels: ['service'],
  },
  freshet_view_rejected_records: {
    type: 'gauge',
    help: 'Records that the views did not fold since the start, by reason. `PIN_STALE`: a change of a pin that is older than the one known; `ENTRY_STALE`: the same of a creator or board.',
    labels: ['service', 'reason'],
  },
  freshet_ranker_model: {
    type: 'gauge',
    help: '1 for the model that the ranker serves, by its name and the hash of its plan.',
    labels: ['model', 'plan'],
  },
  freshet_ranker_model_swaps: {
    type: 'gauge',
    help: 'Models that came after the first since the start, by outcome: swapped (it serves), refused (the earlier model continues to serve).',
    labels: ['outcome'],
  },
  freshet_ranker_models_refused: {
    type: 'gauge',
    help: 'Models that the registry names as serving, canary or shadow and that this ranker does not score with; `/readyz` says why.',
    labels: [],
  },
  freshet_ranker_feature_missing_ratio: {
    type: 'gauge',
    help: 'Share of rows without a value of the feature, `where` is serving (the last window) or training.',
    labels: ['feature', 'where'],
  },
  freshet_ranker_feature_frequent_ratio: {
    type: 'gauge',
    help: 'Share of rows with the value of the feature that is most frequent in training, often a default; `where` is serving (the last window) or training.',
    labels: ['feature', 'where'],
  },
  freshet_ranker_feature_drift: {
    type: 'gauge',
    help: 'Population stability index of the feature in serving (the last window) against training; 0: the same distribution.',
    labels: ['feature'],
  },
  freshet_ranker_mixed_pages_ratio: {
    type: 'gauge',
    help: 'Share of pages for which another model scored the page before in the same session, in the last window.',
    labels: [],
  },
  freshet_ranker_health_crossed: {
    type: 'gauge',
    help: 'Features beyond a threshold of `ranking.health` by check: missing, frequent, drift; for mixed-models 1 or 0. Above 0 for an hour deserves a look.',
    labels: ['check'],
  },
  freshet_ranker_shadow_pages: {
    type: 'gauge',
    help: 'Pages that the shadow was to score since it and the serving model are there, by outcome: compared, failed, skipped (the page before still waited).',
    labels: ['outcome'],
  },
  freshet_ranker_shadow_overlap_ratio: {
    type: 'gauge',
    help: 'Mean share of the best 25 candidates that the shadow and the serving model have in common.',
    labels: [],
  },
  freshet_ranker_shadow_rank_correlation: {
    type: 'gauge',
    help: 'Mean rank correlation of the utilities of the shadow and the serving model, −1 to 1.',
    labels: [],
  },
  freshet_ranker_shadow_prediction: {
    type: 'gauge',
    help: 'Mean prediction of a head over all candidates of the compared pages, by model: serving, shadow.',
    labels: ['head', 'model'],
  },
  freshet_joiner_lag_records: {
    type: 'gauge',
    help: 'Log records that the joiner of training rows has not read yet.',
    labels: [],
  },
  freshet_joiner_positions: {
    type: 'gauge',
    help: 'Shown positions since the beginning of the log, by what became of them: rows, waiting, sampled (a negative that sampling left out), repeated, expired, erased, invalid, unreadable. Their sum is the number of positions read.',
    labels: ['outcome'],
  },
  freshet_joiner_engagements: {
    type: 'gauge',
    help: 'Engagements since the beginning of the log, by what became of them: matched, late (after the window of their feed), waiting, or why they belong to no row: not-on-a-pin, feed-unknown, other-user, pin-not-shown, erased, crowded, invalid.',
    labels: ['outcome'],
  },
  freshet_joiner_rows: {
    type: 'gauge',
    help: 'Training rows with each label since the start; `corrections` and `unshown` are rows since the beginning of the log.',
    labels: ['label'],
  },
  freshet_joiner_waiting_feeds: {
    type: 'gauge',
    help: 'Feeds that the joiner keeps for their actions, by where their record is: memory or file.',
    labels: ['where'],
  },
  freshet_ranking_trainings: {
    type: 'gauge',
    help: 'Trainings of ranking models since the start, by outcome: published, why the gate rejected the model (worse-than-serving, worse-than-mean, worse-than-retrieval, no-labels), or the code of the error that ended the training.',
    labels: ['outcome'],
  },
  freshet_ranking_training_seconds: {
    type: 'gauge',
    help: 'Seconds that the last training of a ranking model took; NaN: none has ended.',
    labels: [],
  },
  freshet_ranking_window_rows: {
    type: 'gauge',
    help: 'Training rows in memory.',
    labels: [],
  },
  freshet_ranking_left_out_rows: {
    type: 'gauge',
    help: 'Rows that the last training of a ranking model could not use, by reason.',
    labels: ['reason'],
  },
  freshet_ranking_model_age_seconds: {
    type: 'gauge',
    help: 'Seconds since the newest ranking model was trained that was not rejected; NaN: there is none.',
    labels: [],
  },
  freshet_updater_records_total: {
    type: 'counter',
    help: 'Folded records, by stage (user, pin) and outcome: applied, duplicate, late (in earlier versions), deadLettered, erased, tombstone, or `lost` (retention deleted them before the updater folded them).',
    labels: ['stage', 'outcome'],
  },
  freshet_updater_unaccounted_records_total: {
    type: 'counter',
    help: 'Positions of the log, by stage (user, pin), that a commit passed over although they have no outcome and retention has not deleted them. Always 0, unless records are lost between the log and the state.',
    labels: ['stage'],
  },
  freshet_updater_event_seconds: {
    type: 'histogram',
    help: 'Time from the append of a record until the commit that folded it, by stage: user (`engagements.v1`), pin (`pin-engagements.v1`). Without canaries and rebuilds; records that waited while the updater was away count with their whole wait.',
    labels: ['stage'],
    buckets: [...secondBuckets, 30, 60, 300, 3600],
  },
  freshet_updater_moves_total: {
    type: 'counter',
    help: 'Batches that did not begin at the stored position, by topic and kind: SKIPPED, PARTIAL, ROLLBACK.',
    labels: ['topic', 'kind'],
  },
  freshet_updater_stale_pins_total: {
    type: 'counter',
    help: 'Catalogue changes that came after a newer version of their pin. The updater appended the newer version again.',
    labels: [],
  },
  freshet_updater_lag_records: {
    type: 'gauge',
    help: 'Records that wait in the owned partitions.',
    labels: [],
  },
  freshet_store_memory_used_ratio: {
    type: 'gauge',
    help: 'Share of `maxmemory` that the fullest Redis server of the state store uses, by its last report. Absent until a server has a limit, NaN after the limit was taken away.',
    labels: [],
  },
  freshet_updater_cache_bytes: {
    type: 'gauge',
    help: 'Estimated memory of decoded state.',
    labels: [],
  },
  freshet_updater_cache_hit_ratio: {
    type: 'gauge',
    help: 'Share of state reads since the start that the cache answered.',
    labels: [],
  },
  freshet_updater_failing_partitions: {
    type: 'gauge',
    help: 'Partitions that do not advance: halted because of bad records, or failing.',
    labels: [],
  },
  freshet_updater_replaced_partitions: {
    type: 'gauge',
    help: 'Partitions whose log is not the one that their state was folded from. The updater folds nothing there until `freshet log adopt`.',
    labels: [],
  },
  freshet_updater_canaries_total: {
    type: 'counter',
    help: 'Canary events, by stage (user, pin) and outcome: seen, or missed (not seen within ten seconds, or the log or the store did not answer).',
    labels: ['stage', 'outcome'],
  },
  freshet_updater_canary_seconds: {
    type: 'histogram',
    help: 'Time from the acknowledgement of a canary event until its state was readable, or until the updater gave up, by stage (user, pin).',
    labels: ['stage'],
    buckets: secondBuckets,
  },
  freshet_feed_requests_total: {
    type: 'counter',
    help: 'Requests for feeds that the blender has begun to answer, over any protocol, by kind (`request`, `prefetch`) and outcome: `answered` or the code of the error.',
    labels: ['kind', 'outcome'],
  },
  freshet_feed_answers_total: {
    type: 'counter',
    help: 'Answered feeds, by surface, degradation and freshness.',
    labels: ['surface', 'degradation', 'freshness'],
  },
  freshet_feed_following_pages_total: {
    type: 'counter',
    help: 'Pages after the first of a feed, by what made them (model, embeddings) and whether the page before had the same version or another one (same, other). More than a fifth with another one means that versions change too often for one feed.',
    labels: ['what', 'before'],
  },
  freshet_feed_answer_seconds: {
    type: 'histogram',
    help: 'Time to answer a request for a feed.',
    labels: ['surface'],
    buckets: secondBuckets,
  },
  freshet_feed_stages_total: {
    type: 'counter',
    help: 'Runs of pipeline stages, by pipeline, stage, outcome (ran, left-out, failed-closed, failed) and code; the code of a stage that ran is `none`.',
    labels: ['pipeline', 'stage', 'outcome', 'code'],
  },
  freshet_feed_stage_seconds: {
    type: 'histogram',
    help: 'Time of the stages that call another process: state, candidates, ranker, records.',
    labels: ['pipeline', 'stage'],
    buckets: secondBuckets,
  },
  freshet_feed_candidates_total: {
    type: 'counter',
    help: 'Candidates after a stage, by reason: `kept`, or why the stage removed them.',
    labels: ['pipeline', 'stage', 'reason'],
  },
  freshet_feeds_lost_total: {
    type: 'counter',
    help: 'Feeds that were answered but not written to `feeds-served.v1`: the outbox was `full`, or the `log` rejected them.',
    labels: ['why'],
  },
  freshet_feed_background_failures_total: {
    type: 'counter',
    help: 'Failures of background work: popular, last-good, page-reserve, cursor-key, pin-facts, pointer.',
    labels: ['what'],
  },
  freshet_call_extra_total: {
    type: 'counter',
    help: 'Calls to a service beside the first one: `hedged` because the first was slow, `retried` because it failed, `out-of-budget`: not sent.',
    labels: ['service', 'kind'],
  },
  freshet_call_breaker: {
    type: 'gauge',
    help: 'State of the circuit breaker of a replica: 0 closed, 1 half open, 2 open.',
    labels: ['service', 'replica'],
  },
  freshet_feed_shed_total: {
    type: 'counter',
    help: 'Requests that the blender refused because too many were under way, by kind: prefetch, request.',
    labels: ['kind'],
  },
  freshet_feed_in_flight: {
    type: 'gauge',
    help: 'Requests for feeds that the blender is answering.',
    labels: [],
  },
  freshet_feed_waiting: {
    type: 'gauge',
    help: 'Requests for feeds that wait for their turn, because the blender works at `maxAtOnce` others.',
    labels: [],
  },
  freshet_feed_remembered_users: {
    type: 'gauge',
    help: 'Users that this process keeps in memory.',
    labels: [],
  },
  freshet_feed_unwritten: {
    type: 'gauge',
    help: 'Feeds that wait to be written to `feeds-served.v1`.',
    labels: [],
  },
} as const satisfies Record<`freshet_${string}`, MetricSpec>

export type MetricName = keyof typeof metricCatalogue

/** Metrics of one type. */
export type MetricNameOf<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof metricCatalogue)[Name]['type'] extends Type ? Name : never
}[MetricName]

/** The labels of a metric. */
export type LabelsOf<Name extends MetricName> = (typeof metricCatalogue)[Name]['labels'][number]
