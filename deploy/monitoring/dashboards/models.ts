import { chosen, gauge, perSecond, type Dashboard } from './panel.ts'

const window = 'until a window of rows is full (`ranking.health.windowRows`)'

/** Models, their inputs, and the training behind them. */
export const models: Dashboard = {
  uid: 'freshet-models',
  title: 'Freshet: models and features',
  description: 'Which model serves, whether its inputs look as in training, and how training goes',
  rows: [
    {
      title: 'Serving',
      panels: [
        {
          title: 'Serving models',
          description: 'Rankers by the model that they serve.',
          unit: 'none',
          kind: 'stat',
          queries: [[`count by (release, model) (${chosen('freshet_ranker_model')})`, '{{release}} {{model}}']],
        },
        {
          title: 'Changes of the model',
          description: 'Since the start: swapped, or refused (the earlier one continues to serve).',
          unit: 'none',
          queries: [[gauge('freshet_ranker_model_swaps', 'outcome', '', 'max'), '{{outcome}}']],
        },
        {
          title: 'Models that do not score',
          description:
            'Models that the registry names as serving, canary or shadow and that a ranker could not load: the earlier model serves on. `/readyz` of the ranker says why.',
          unit: 'none',
          queries: [[gauge('freshet_ranker_models_refused', 'instance', '', 'max'), '{{instance}}']],
        },
        {
          title: 'Pages of a feed from another model',
          description: 'Pages after the first, by whether the model or the embeddings are those of the page before.',
          unit: 'ops',
          queries: [[perSecond('freshet_feed_following_pages_total', 'what, before'), '{{what}} {{before}}']],
          empty: 'until somebody asks for a second page',
        },
      ],
    },
    {
      title: 'Features',
      panels: [
        {
          title: 'Features beyond a threshold',
          description: 'By check of `ranking.health`, in the last window.',
          unit: 'none',
          queries: [[gauge('freshet_ranker_health_crossed', 'check', '', 'max'), '{{check}}']],
          empty: window,
        },
        {
          title: 'Drift',
          description:
            'Population stability index of each feature against training, the ten largest. Above 0.25 the distribution is another one.',
          unit: 'none',
          queries: [[`topk(10, ${gauge('freshet_ranker_feature_drift', 'feature', '', 'max')})`, '{{feature}}']],
          empty: window,
        },
        {
          title: 'Features without a value',
          description: 'How much more often than in training a feature has no value, the ten largest.',
          unit: 'percentunit',
          queries: [
            [
              `topk(10, ${gauge('freshet_ranker_feature_missing_ratio', 'feature', 'where="serving"', 'max')} - ${gauge('freshet_ranker_feature_missing_ratio', 'feature', 'where="training"', 'max')})`,
              '{{feature}}',
            ],
          ],
          empty: window,
        },
      ],
    },
    {
      title: 'The shadow',
      panels: [
        {
          title: 'Pages that the shadow scored',
          description: 'By outcome, since it is there.',
          unit: 'none',
          queries: [[gauge('freshet_ranker_shadow_pages', 'outcome'), '{{outcome}}']],
          empty: 'without a shadow',
        },
        {
          title: 'Agreement with the shadow',
          description: 'Share of the best 25 candidates in common, and rank correlation. Without a shadow 0.',
          unit: 'none',
          queries: [
            [gauge('freshet_ranker_shadow_overlap_ratio', 'release', '', 'max'), '{{release}} in common'],
            [gauge('freshet_ranker_shadow_rank_correlation', 'release', '', 'max'), '{{release}} correlation'],
          ],
        },
      ],
    },
    {
      title: 'Training',
      panels: [
        {
          title: 'Trainings',
          description: 'Since the start, by outcome: published, why the gate rejected the model, or an error.',
          unit: 'none',
          queries: [[gauge('freshet_ranking_trainings', 'outcome'), '{{outcome}}']],
          empty: 'until a first training ends',
        },
        {
          title: 'Rows for training',
          description: 'Training rows in memory.',
          unit: 'none',
          queries: [[gauge('freshet_ranking_window_rows', 'release'), '{{release}}']],
        },
        {
          title: 'Duration of the last training',
          description: 'By the trainer.',
          unit: 's',
          queries: [[gauge('freshet_ranking_training_seconds', 'release', '', 'max'), '{{release}}']],
          empty: 'until a first training ends',
        },
        {
          title: 'Shown positions',
          description: 'What became of shown positions: rows, waiting, or why there is no row.',
          unit: 'none',
          queries: [[gauge('freshet_joiner_positions', 'outcome'), '{{outcome}}']],
        },
        {
          title: 'Engagements of rows',
          description: 'What became of engagements: matched, late, waiting, or why they belong to no row.',
          unit: 'none',
          queries: [[gauge('freshet_joiner_engagements', 'outcome'), '{{outcome}}']],
        },
        {
          title: 'Records that the joiner has not read',
          description: 'Lag of the joiner.',
          unit: 'none',
          queries: [[gauge('freshet_joiner_lag_records', 'release'), '{{release}}']],
        },
      ],
    },
  ],
}
