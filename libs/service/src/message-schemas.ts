import { createFileRegistry, fromBinary, ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

type JsonSchema = Readonly<Record<string, unknown>>

/**
 * JSON Schemas of messages and of all messages in them, by their short names, as the JSON routes write them: every field but
 * absent optional ones, and enums as `namedEnums` says. `descriptors`: a `google.protobuf.FileDescriptorSet`.
 */
export function messageSchemas(
  descriptors: Uint8Array,
  names: readonly string[],
  /** Short names of the enums that are written by name; others are numbers. */
  namedEnums: ReadonlySet<string>,
): Readonly<Record<string, JsonSchema>> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors))
  const schemas: Record<string, JsonSchema> = {}
  const add = (message: DescMessage): void => {
    if (message.name in schemas) return
    // Before its fields, because messages may contain themselves.
    schemas[message.name] = {}
    schemas[message.name] = {
      type: 'object',
      properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, schemaOf(field)])),
      required: message.fields.filter((field) => !isOptional(field)).map((field) => field.jsonName),
      additionalProperties: false,
    }
  }
  const schemaOf = (field: DescField): JsonSchema => {
    if (field.fieldKind === 'list') return { type: 'array', items: singleOf(field.listKind, field) }
    if (field.fieldKind === 'map') return { type: 'object', additionalProperties: singleOf(field.mapKind, field) }
    return singleOf(field.fieldKind, field)
  }
  const singleOf = (kind: 'scalar' | 'enum' | 'message', field: DescField): JsonSchema => {
    if (kind === 'message') {
      add(field.message!)
      return { $ref: `#/components/schemas/${field.message!.name}` }
    }
    if (kind === 'scalar') return scalarSchema(field.scalar!)
    const { name, values } = field.enum!
    return namedEnums.has(name) ? { type: 'string', enum: values.map((value) => value.name) } : { type: 'integer' }
  }
  for (const name of names) {
    const message = registry.getMessage(name)
    if (message === undefined) throw new Error(`there is no message ${name}`)
    add(message)
  }
  return schemas
}

function isOptional(field: DescField): boolean {
  return field.fieldKind === 'message' || field.proto.proto3Optional || field.oneof !== undefined
}

function scalarSchema(type: ScalarType): JsonSchema {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return { type: 'string' }
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: 'number' }
    default:
      return { type: 'integer' }
  }
}
