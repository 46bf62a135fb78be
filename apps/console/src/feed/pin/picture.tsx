import { useState } from 'react'
import type { PinCard } from '../../api/blender.ts'
import { useConfig } from '../../api/config-context.tsx'
import { pictureAddress } from '../../api/picture-address.ts'
import { appearanceOf } from './appearance.ts'
import './picture.css'

/** The address of a pin's picture. Null: there is none that the page may load; undefined: not known yet. */
function usePictureOf(pinId: string, card: PinCard | undefined): string | null | undefined {
  const config = useConfig().value
  if (config === null) return undefined
  return pictureAddress(pinId, card?.imageUrl ?? '', { ...config, own: location.origin }).url
}

/** The picture of a pin on its tinted ground; its title in large letters where there is no picture. */
export function Picture({
  pinId,
  card,
  title,
  isLarge = false,
}: {
  readonly pinId: string
  readonly card: PinCard | undefined
  readonly title: string
  readonly isLarge?: boolean
}) {
  const address = usePictureOf(pinId, card)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const { hue, depth, scale } = appearanceOf(pinId)
  const size = `${Math.round((isLarge ? Math.min(scale, 0.72) : scale) * 100)}%`
  return (
    <div
      className={`picture picture-${depth} ${card?.creatorId === 'game' ? 'picture-ink' : ''}`}
      style={{ '--hue': hue } as object}
    >
      {address === undefined ? null : address !== null && state !== 'failed' ? (
        <img
          src={address}
          alt=""
          draggable={false}
          decoding="async"
          className={state === 'ready' ? 'is-ready' : ''}
          style={{ width: size, height: size }}
          onLoad={() => {
            setState('ready')
          }}
          onError={() => {
            setState('failed')
          }}
        />
      ) : (
        <span className="picture-words" aria-hidden="true">
          {title || pinId}
        </span>
      )}
    </div>
  )
}
