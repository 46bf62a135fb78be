/** An alert of the rule file. */
export interface Alert {
  readonly name: string
  readonly expr: string
  /** How long the expression must hold before it fires; absent: it fires at once. */
  readonly for?: string
  /** `page`: somebody must act now. `ticket`: within some days. */
  readonly severity: 'page' | 'ticket'
  /** One line; `{{ $labels.… }}` and `{{ $value }}` are those of Prometheus. */
  readonly summary: string
  /** `runbooks/NAME.md`. */
  readonly runbook: string
  /** The id of the dashboard that shows its expression, and the title of the panel. */
  readonly panel: readonly [dashboard: string, title: string]
  readonly labels?: Readonly<Record<string, string>>
}
