import { z } from 'zod'
import { trainsBaseNetwork } from '../../../engine/domain/method-settings.ts'
import { adapterSchema, runConfigSchema, type AdapterName, type RunConfig } from '../../../engine/domain/run.ts'
import type { NumberRule } from '../run/run-draft.ts'

/** How the form shows one setting of a method. `choices` may hold several of a list; `blocks` are layers of the backbone. */
type FieldKind = 'number' | 'choice' | 'choices' | 'blocks' | 'flag'

/** One setting of a method. Kind, range and default come from the method's schema, so that form and engine never disagree. */
export interface MethodField {
  /** Path in the configuration, `ssf.baseShare`. */
  path: string
  key: string
  kind: FieldKind
  /** For `number`. */
  rule: NumberRule | null
  /** For `choice` and `choices`. */
  options: readonly string[]
  default: unknown
}

interface Property { type?: string; enum?: string[]; items?: { enum?: string[] }; minimum?: number; exclusiveMinimum?: number; maximum?: number; default?: unknown }

/** The methods with settings of their own. */
type MethodWithSettings = Extract<AdapterName, keyof RunConfig>
const hasSettings = (adapter: AdapterName): adapter is MethodWithSettings => adapter in runConfigSchema.shape

function fieldOf(adapter: MethodWithSettings, key: string, property: Property): MethodField {
  const common = { path: `${adapter}.${key}`, key, rule: null, options: [], default: property.default }
  if (property.type === 'boolean') return { ...common, kind: 'flag' }
  if (property.type === 'array') return property.items?.enum === undefined ? { ...common, kind: 'blocks' } : { ...common, kind: 'choices', options: property.items.enum }
  if (property.enum !== undefined) return { ...common, kind: 'choice', options: property.enum }
  const isMinExcluded = property.exclusiveMinimum !== undefined
  return { ...common, kind: 'number', rule: { min: property.exclusiveMinimum ?? property.minimum ?? 0, max: property.maximum ?? Number.MAX_SAFE_INTEGER, isWhole: property.type === 'integer', ...(isMinExcluded ? { isMinExcluded } : {}) } }
}

const fieldsOfMethod = new Map(adapterSchema.options.map((adapter): [AdapterName, MethodField[]] => {
  if (!hasSettings(adapter)) return [adapter, []]
  const schema = z.toJSONSchema(runConfigSchema.shape[adapter], { io: 'input' }) as { properties?: Record<string, Property> }
  return [adapter, Object.entries(schema.properties ?? {}).map(([key, property]) => fieldOf(adapter, key, property))]
}))

/** Settings that only count while the sets of a method are kept by combination. */
const byCombination = new Set(['training', 'base', 'baseRate', 'baseShare', 'trainHead', 'untrained'])
/** Of these, those of the base stage. */
const ofBase = new Set(['base', 'baseRate', 'baseShare', 'trainHead'])

/** The settings of the chosen method that have an effect as it stands. */
export function fieldsOf(config: RunConfig): MethodField[] {
  const fields = fieldsOfMethod.get(config.adapter)!
  const sets = config.adapter === 'ssf' ? config.ssf : config.adapter === 'lora' ? config.lora : null
  return fields.filter(({ key }) => {
    if (sets === null) return true
    if (config.adapter === 'lora' && config.lora.by === 'all' && byCombination.has(key)) return false
    if (sets.training === 'joint' && ofBase.has(key)) return false
    return key !== 'baseRate' || trainsBaseNetwork(sets, config.backbone)
  })
}

/** What a number of a method may be; undefined for anything else. */
export function methodRule(path: string): NumberRule | undefined {
  const [adapter] = path.split('.')
  return fieldsOfMethod.get(adapter as AdapterName)?.find((field) => field.path === path)?.rule ?? undefined
}

/** Whether the path is a choice of blocks. */
export function isBlockChoice(path: string): boolean {
  return [...fieldsOfMethod.values()].flat().some((field) => field.kind === 'blocks' && field.path === path)
}

export function valueOf(config: RunConfig, { path }: MethodField): unknown {
  const [adapter, key] = path.split('.')
  return (config as unknown as Record<string, Record<string, unknown>>)[adapter!]![key!]
}

/** A copy of the configuration with one setting of a method changed. */
export function withValue(config: RunConfig, { path }: MethodField, value: unknown): RunConfig {
  const [adapter, key] = path.split('.')
  const settings = (config as unknown as Record<string, Record<string, unknown>>)[adapter!]!
  return { ...config, [adapter!]: { ...settings, [key!]: value } }
}

/** Without the settings of the other methods, which their defaults replace: what is not on the form must neither block a run nor be stored with it. */
export function ownSettingsOnly(config: RunConfig): RunConfig {
  const others = adapterSchema.options.filter((adapter) => adapter !== config.adapter && hasSettings(adapter))
  const defaults = Object.fromEntries(others.map((adapter) => [adapter, runConfigSchema.shape[adapter as MethodWithSettings].parse(undefined)]))
  return { ...config, ...defaults }
}
