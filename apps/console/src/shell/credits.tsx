import type { Attribution } from '../api/config.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Table } from '../ui/table.tsx'

/** Whose pictures these are, as their licences ask. */
export function Credits({
  attributions,
  onClose,
}: {
  readonly attributions: readonly Attribution[]
  readonly onClose: () => void
}) {
  return (
    <Dialog title="Pictures and people" onClose={onClose}>
      <p>
        The pictures are drawn by the people below. The users are simulated: their tastes and what they did were made by
        a program.
      </p>
      <Table
        caption="Licences of the pictures"
        rows={attributions}
        keyOf={({ style }) => style}
        columns={[
          {
            name: 'Pictures',
            cell: ({ name, url }) => (
              <a href={url} target="_blank" rel="noreferrer">
                {name}
              </a>
            ),
          },
          { name: 'By', cell: ({ authors }) => authors },
          { name: 'Licence', cell: ({ license }) => license },
        ]}
      />
    </Dialog>
  )
}
