import type { ReactNode } from 'react'
import { Badge } from '../../ui/card.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { fieldName } from './lines.ts'
import { forPage } from './words.ts'
import type { Plan, Reading } from './types.ts'

/** How a file is read, column by column, with controls that change it. */
export function PlanForm({
  plan,
  reading,
  onChange,
  makesPins,
  onMakesPins,
  actions,
}: {
  readonly plan: Plan
  readonly reading: Reading
  readonly onChange: (reading: Reading) => void
  readonly makesPins: boolean
  readonly onMakesPins: (makes: boolean) => void
  readonly actions: ReactNode
}) {
  const { problem, columns, times, rules, as, first, head, command } = plan
  const set = (change: Partial<Reading>): void => {
    onChange({ ...reading, ...change })
  }
  return (
    <div className="stack import-plan">
      {problem !== null && (
        <p className="notice notice-warn" role="alert">
          <strong>This file cannot be imported like this:</strong> {forPage(problem)}
        </p>
      )}
      {columns.length > 0 && <Columns plan={plan} reading={reading} set={set} />}
      {columns.length === 0 && head.length > 0 && (
        <div>
          <h3>The first lines</h3>
          <pre className="code" tabIndex={0}>
            {head.join('\n')}
          </pre>
        </div>
      )}
      {as === 'engagements' && (times !== null || rules !== '') && (
        <dl className="facts">
          {times !== null && (
            <>
              <dt>Times</dt>
              <dd>{forPage(times)}</dd>
            </>
          )}
          {rules !== '' && (
            <>
              <dt>Actions</dt>
              <dd className="mono">{rules}</dd>
            </>
          )}
        </dl>
      )}
      <Options plan={plan} reading={reading} set={set} isOpen={problem !== null} />
      {first.length > 0 && (
        <details className="fold">
          <summary>The first rows as events</summary>
          <ul className="import-first">
            {first.map(({ line, event, problem: wrong }) => (
              <li key={line}>
                <Badge>line {line}</Badge>{' '}
                {wrong !== undefined ? (
                  <span className="import-wrong">{forPage(wrong)}</span>
                ) : event === undefined ? (
                  <span className="soft">skipped by a rule</span>
                ) : (
                  <span className="mono">{JSON.stringify(event)}</span>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
      <details className="fold">
        <summary>The same on the command line</summary>
        <pre className="code" tabIndex={0}>
          {command}
        </pre>
      </details>
      <div className="row import-actions">
        {as === 'engagements' && (
          <label className="import-check">
            <input
              type="checkbox"
              checked={makesPins}
              onChange={(event) => {
                onMakesPins(event.target.checked)
              }}
            />
            Create an entry for pins without one, so that feeds can show them
          </label>
        )}
        <span className="import-buttons">{actions}</span>
      </div>
    </div>
  )
}

interface PartProps {
  readonly plan: Plan
  readonly reading: Reading
  readonly set: (change: Partial<Reading>) => void
}

function Columns({ plan: { columns, fields }, reading, set }: PartProps) {
  const choose = (name: string, value: string): void => {
    const { [name]: _before, ...others } = reading.mapped ?? {}
    set({ mapped: value === 'auto' ? others : { ...others, [name]: value === 'ignore' ? null : value } })
  }
  return (
    <div className="table-frame" role="region" aria-label="Columns of the file" tabIndex={0}>
      <table className="table import-columns">
        <caption className="hidden-words">Columns of the file and the fields that they fill</caption>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Read as</th>
            <th scope="col">First values</th>
          </tr>
        </thead>
        <tbody>
          {columns.map(({ name, field, hint, samples }) => {
            const mapped = reading.mapped?.[name]
            const value = mapped === undefined ? 'auto' : (mapped ?? 'ignore')
            return (
              <tr key={name}>
                <th scope="row">{name === '' ? <em>no name</em> : name}</th>
                <td>
                  <select
                    aria-label={`Read the column ${name} as`}
                    value={value}
                    className={field === null ? 'import-unused' : undefined}
                    onChange={(event) => {
                      choose(name, event.target.value)
                    }}
                  >
                    <option value="auto">
                      {mapped !== undefined ? 'detect' : field === null ? 'not used' : `${fieldName(field)} (detected)`}
                    </option>
                    <option value="ignore">ignore it</option>
                    {fields.map((each) => (
                      <option key={each} value={each}>
                        {fieldName(each)}
                      </option>
                    ))}
                  </select>
                  {hint !== null && value === 'auto' && (
                    <button
                      type="button"
                      className="import-hint"
                      onClick={() => {
                        choose(name, hint)
                      }}
                    >
                      Is it {hint}?
                    </button>
                  )}
                </td>
                <td className="import-samples">
                  {samples
                    .slice(0, 3)
                    .map((sample) => (sample === '' ? '∅' : sample))
                    .join('  ·  ')}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Options({ plan, reading, set, isOpen }: PartProps & { readonly isOpen: boolean }) {
  return (
    <details className="fold" open={isOpen}>
      <summary>Change how it is read</summary>
      <div className="import-options">
        <SelectField
          label="Rows are"
          value={reading.as ?? ''}
          onChange={({ target: { value } }) => {
            set({ as: value === '' ? undefined : (value as 'pins' | 'engagements') })
          }}
        >
          <option value="">{plan.as === null || reading.as !== undefined ? 'detect' : `${plan.as} (detected)`}</option>
          <option value="engagements">engagements: what users did</option>
          <option value="pins">pins: your catalogue</option>
        </SelectField>
        <SelectField
          label="Delimiter"
          value={reading.delimiter ?? ''}
          onChange={({ target: { value } }) => {
            set({ delimiter: value })
          }}
        >
          <option value="">detect</option>
          <option value=",">comma ,</option>
          <option value=";">semicolon ;</option>
          <option value="tab">tab</option>
          <option value="|">bar |</option>
          <option value="::">::</option>
          <option value=":">colon :</option>
          <option value=" ">blank</option>
          <option value="^">caret ^</option>
          <option value="~">tilde ~</option>
        </SelectField>
        <SelectField
          label="Quotes"
          value={reading.quote ?? ''}
          onChange={({ target: { value } }) => {
            set({ quote: value })
          }}
        >
          <option value="">double quotes "</option>
          <option value="'">single quotes '</option>
          <option value="none">none: quotes are plain characters</option>
        </SelectField>
        <SelectField
          label="Times are"
          value={reading.timeUnit ?? ''}
          onChange={({ target: { value } }) => {
            set({ timeUnit: value })
          }}
        >
          <option value="">detect</option>
          <option value="s">seconds since 1970</option>
          <option value="ms">milliseconds since 1970</option>
          <option value="us">microseconds since 1970</option>
          <option value="iso">dates such as 2024-01-31T12:00:00Z</option>
        </SelectField>
        <SelectField
          label="Text is"
          value={reading.encoding ?? ''}
          onChange={({ target: { value } }) => {
            set({ encoding: value })
          }}
        >
          <option value="">detect</option>
          <option value="utf8">UTF-8</option>
          <option value="latin1">Latin-1</option>
        </SelectField>
        <LazyText
          label="Rules for actions"
          placeholder="rating>=4:save,rating<4:closeup"
          name="rules"
          reading={reading}
          set={set}
        />
        <LazyText
          label="Time of rows without one"
          placeholder="2024-01-31T12:00:00Z"
          name="occurredAt"
          reading={reading}
          set={set}
        />
        <LazyText
          label="Names of columns (no header)"
          placeholder="userId,itemId,rating,timestamp"
          name="columns"
          reading={reading}
          set={set}
        />
        <LazyText
          label="Topics are separated by"
          placeholder={plan.listSeparator ?? '|'}
          name="listSeparator"
          reading={reading}
          set={set}
        />
      </div>
    </details>
  )
}

/** A text that counts when its field is left or Enter is pressed, so that not every letter makes a plan. */
function LazyText({
  label,
  placeholder,
  name,
  reading,
  set,
}: {
  readonly label: string
  readonly placeholder: string
  readonly name: 'rules' | 'occurredAt' | 'columns' | 'listSeparator'
  readonly reading: Reading
  readonly set: (change: Partial<Reading>) => void
}) {
  const take = (value: string): void => {
    if (value !== (reading[name] ?? '')) set({ [name]: value })
  }
  return (
    <TextField
      label={label}
      placeholder={placeholder}
      defaultValue={reading[name] ?? ''}
      onBlur={(event) => {
        take(event.target.value)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take(event.currentTarget.value)
      }}
    />
  )
}
